"""Who sells pictures in the flow's tests, with books of its own."""
# ruff: noqa: D102 - the ports say what their methods do

from typing import Annotated, Any

import msgspec

from falgate.fal.progress import Progress, Tell
from falgate.fal.replies import Accepted, Delivered, Failed, Lost, Result, Submission
from falgate.jobs.settlement import is_zero
from falgate.models.spec import Expected, ModelSpec

BILLED = 103  # by fal, micro-USD for a picture


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: list price 100, its text held at 7 and booked at 3."""

    prompt: str
    num_images: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1
    sync_mode: bool = False


SPEC = ModelSpec(
    endpoint="acme/easel",
    title="Easel",
    schema_name="Easel",
    category="text-to-image",
    input=Input,
    output=Input,
    schema_version=1,
    price_version="1",
    image_price=lambda _: 100,
    text_ceiling=lambda _, number: 7 * number,
    text_estimate=lambda _, number: 3 * number,
    expected=lambda _: Expected("image/png", 8, 8),
)


class Shop:
    """Who sells pictures, with books of its own: nothing in Redis can hide a bill from them.

    Attributes:
        submissions: What it says to the next submits; a `Lost` one is carried out all the same.
        results: What comes of the next looks.
        unheld: Jobs that came without a hold or a mark; `bills` by job are micro-USD.
    """

    def __init__(self, name: str, steps: Any, jobs: Any) -> None:
        self.name = name
        self.submissions, self.results = list[Submission](), list[Result]()
        self.bills: dict[str, int] = {}
        self.unheld, self.posts = list[str](), list[str]()
        self.options: list[dict[str, Any]] = []
        self._orders: dict[str, tuple[str, int]] = {}
        self._steps, self._jobs = steps, jobs

    async def submit(self, *asked: Any, **options: Any) -> Submission:
        _, body, job_id = asked
        self.options.append(options)
        known = self._jobs.jobs[job_id]
        if known.state != "submitting" or self._jobs.held < known.order.held:
            self.unheld.append(job_id)
        async with self._steps.step("submit"):
            self.posts.append(job_id)
            request_id = f"{self.name}-{len(self.posts)}"
            said = self.submissions.pop(0) if self.submissions else Accepted(request_id)
            if isinstance(said, Accepted | Lost):
                self.bills[job_id] = BILLED * body["num_images"]
                self._orders[request_id] = (job_id, body["num_images"])
            return said

    @property
    def pictures_sold(self) -> int:
        """How many pictures are on its bills."""
        return sum(self.bills.values()) // BILLED

    async def cancel(self, endpoint: str, request_id: str) -> None:
        self._steps.did.append(f"cancel {endpoint} {request_id}")

    async def collect(self, _: ModelSpec, request_id: str, tell: Tell | None = None) -> Result:
        if tell is not None:
            await tell(Progress(phase="IN_PROGRESS"))
        async with self._steps.step("collect"):
            job_id, number = self._orders[request_id]
            usual = Delivered(output(number, request_id), str(number))
            said = self.results.pop(0) if self.results else usual
            if isinstance(said, Delivered):
                self.bills[job_id] = BILLED * len(SPEC.files(said.output))
            elif isinstance(said, Failed) and (said.answer.status >= 500 or is_zero(said.units)):
                self.bills[job_id] = 0
            return said

    def may_fetch(self, url: str) -> bool:
        return url.startswith("https://pictures/")

    async def download(self, url: str) -> bytes:
        async with self._steps.step("download"):
            return url.encode()


def output(number: int, seed: str) -> dict[str, Any]:
    return {"images": [{"url": f"https://pictures/{seed}/{index}"} for index in range(number)]}
