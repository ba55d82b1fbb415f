"""Submits without an answer: found by what was sent, looked for seldom, and never twice bound."""
# ruff: noqa: D102 - the ports say what their methods do

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from falgate.fal.billing import BooksClosed, Listed
from falgate.jobs import lost_submits
from falgate.jobs.job import Job, Order
from falgate.jobs.lost_submits import LostSubmitFinder

pytestmark = pytest.mark.usefixtures("no_pauses")

SENT_MS = 1_000_000
SENT = {"prompt": "a secret wish", "num_images": 1}


def job(job_id: str = "j", *, sent_ms: int = SENT_MS, **changes: Any) -> Job:
    words: Any = dict.fromkeys(("fingerprint", "team", "app", "key", "price_version"), "x")
    numbers: Any = dict.fromkeys(("generation", "asked", "reused", "number", "held", "listed"), 1)
    usual: dict[str, Any] = {"endpoint": "e", "upstream": "fal", "input": SENT, "recorded": {}}
    order = Order(id=job_id, **words, **numbers, **(usual | changes))
    return Job(
        order=order,
        accounts=order.accounts,
        state="submitting",
        owner="o",
        epoch=3,
        windows=(),
        began_ms=sent_ms,
        submitted_ms=sent_ms,
        trouble="lost",
        troubled_ms=sent_ms,
    )


def listed(
    request_id: str, sent_ms: int = SENT_MS, sent: Any = SENT, endpoint: str = "e"
) -> Listed:
    return Listed(request_id=request_id, endpoint=endpoint, sent_ms=sent_ms, input=sent)


class World:
    """The jobs and fal's list.

    Attributes:
        there: What fal lists.
        bound: Requests that belong to a job.
        asked: Endpoint and start of each question.
        failure: What the next question meets.
        unbound_jobs: Jobs whose request nobody knows.
    """

    def __init__(self) -> None:
        self.there: list[Listed] = []
        self.bound: dict[str, str] = {}
        self.asked: list[tuple[str, int]] = []
        self.failure: Exception | None = None
        self.unbound_jobs: list[Job] = []

    async def unbound(self, upstream: str) -> list[Job]:
        assert upstream == "fal"
        return self.unbound_jobs

    async def accept(self, job: Job, request_id: str) -> bool:
        return self.bound.setdefault(request_id, job.order.id) == job.order.id

    async def requests(self, endpoint: str, since_ms: int, until_ms: int) -> tuple[Listed, ...]:
        assert until_ms > since_ms
        self.asked.append((endpoint, since_ms))
        if self.failure:
            raise self.failure
        return tuple(it for it in self.there if it.endpoint == endpoint)


async def as_stored(order: Order) -> dict[str, Any]:
    return order.input


@pytest.fixture
def world() -> Any:
    return World()


async def test_the_request_with_the_jobs_input_is_the_jobs(world: Any) -> None:
    world.there = [listed("other", sent={**SENT, "num_images": 2}), listed("r-1")]

    found = await LostSubmitFinder(world, world, as_stored).found(job(), SENT_MS + 9)

    assert found == replace(job(), state="accepted", request_id="r-1", trouble="", troubled_ms=0)
    assert world.bound == {"r-1": "j"}
    assert world.asked == [("e", SENT_MS - 5_000)]


@pytest.mark.parametrize(
    "there",
    [
        [],
        [listed("r-1", sent=None)],
        [listed("r-1", sent={"prompt": "a secret wish"})],
        [listed("r-1", sent_ms=SENT_MS - 5_001)],
        [listed("r-1", endpoint="another")],
    ],
    ids=["nothing", "unkept", "other input", "before it", "another model"],
)
async def test_any_other_request_is_not(world: Any, there: list[Listed]) -> None:
    world.there = there

    assert await LostSubmitFinder(world, world, as_stored).found(job(), SENT_MS + 9) is None
    assert world.bound == {}


@pytest.mark.parametrize("sent_ms", [SENT_MS - 5_000, 0], ids=["fal's clock lags", "not said"])
async def test_fals_clock_need_not_agree(world: Any, sent_ms: int) -> None:
    world.there = [listed("r-1", sent_ms=sent_ms)]

    assert await LostSubmitFinder(world, world, as_stored).found(job(), SENT_MS + 9)


async def test_a_request_of_another_job_is_left_to_it(world: Any) -> None:
    world.there = [listed("r-1"), listed("r-2")]
    world.bound = {"r-1": "another"}

    found = await LostSubmitFinder(world, world, as_stored).found(job(), SENT_MS + 9)

    assert found is not None
    assert found.request_id == "r-2"


async def test_two_jobs_with_one_input_get_a_request_each_and_a_third_none(world: Any) -> None:
    world.there = [listed("r-1"), listed("r-2")]
    search = LostSubmitFinder(world, world, as_stored)

    found = [await search.found(job(f"j{n}"), SENT_MS + 9) for n in range(3)]

    assert [each and each.request_id for each in found] == ["r-1", "r-2", None]


async def test_a_round_asks_once_for_each_model_and_again_for_an_older_job(world: Any) -> None:
    search = LostSubmitFinder(world, world, as_stored)
    for number in range(5):
        await search.found(job(f"j{number}", sent_ms=SENT_MS + number), SENT_MS + 9)
        await search.found(job(f"k{number}", endpoint="e2"), SENT_MS + 9)
    for older in range(1, 5):
        await search.found(job("old", sent_ms=SENT_MS - older * 1000), SENT_MS + 9)

    assert [endpoint for endpoint, _ in world.asked] == ["e", "e2", "e"]


@pytest.mark.parametrize("failure", [BooksClosed("403"), TimeoutError()], ids=repr)
async def test_closed_books_are_empty_for_a_round_and_asked_again_in_the_next(
    world: Any, failure: Exception
) -> None:
    world.there, world.failure = [listed("r-1")], failure
    search = LostSubmitFinder(world, world, as_stored)
    assert await search.found(job(), SENT_MS + 9) is None
    assert await search.found(job("k"), SENT_MS + 9) is None
    assert len(world.asked) == 1
    world.failure = None

    assert await LostSubmitFinder(world, world, as_stored).found(job(), SENT_MS + 9)


async def test_a_list_that_takes_long_keeps_nobody(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(world, "requests", hang)
    monkeypatch.setattr(lost_submits, "_LISTING_S", 0.001)

    assert await LostSubmitFinder(world, world, as_stored).found(job(), SENT_MS + 9) is None


async def test_without_books_or_an_input_nothing_is_found(world: Any) -> None:
    world.there = [listed("r-1", sent={})]

    assert await LostSubmitFinder(world, None, as_stored).found(job(), SENT_MS + 9) is None
    assert await LostSubmitFinder(world, world, as_stored).found(job(input={}), SENT_MS + 9) is None
    assert world.asked == []


@pytest.mark.parametrize(
    ("age_s", "again_s"), [(0, 2), (3, 2), (10, 5), (100, 50), (850, 50), (899, 1)]
)
async def test_it_is_looked_for_soon_at_first_and_then_less(
    world: Any, age_s: int, again_s: int
) -> None:
    left_ms = 900_000 - age_s * 1000

    assert (
        LostSubmitFinder(world, world, as_stored).again_ms(age_s * 1000, left_ms) == again_s * 1000
    )
    assert LostSubmitFinder(world, None, as_stored).again_ms(age_s * 1000, left_ms) == left_ms


HOOK_MS = 60_000


async def test_of_two_with_one_body_the_hooks_tell_first_and_then_either_is_taken(
    world: Any,
) -> None:
    world.there = [listed("r-1"), listed("r-2")]
    world.unbound_jobs = [job("j"), job("k")]

    early = LostSubmitFinder(world, world, as_stored, HOOK_MS)
    assert await early.found(job("j"), SENT_MS + HOOK_MS - 1) is None
    assert await early.found(job("k"), SENT_MS + HOOK_MS - 1) is None
    assert world.bound == {}
    late = LostSubmitFinder(world, world, as_stored, HOOK_MS)
    assert await late.found(job("j"), SENT_MS + HOOK_MS)
    assert await late.found(job("k"), SENT_MS + HOOK_MS)

    assert world.bound == {"r-1": "j", "r-2": "k"}


async def test_without_a_twin_or_without_hooks_nobody_waits(world: Any) -> None:
    world.there = [listed("r-1"), listed("r-2")]
    world.unbound_jobs = [job("j"), job("k", input={"prompt": "another"})]
    assert await LostSubmitFinder(world, world, as_stored, HOOK_MS).found(job("j"), SENT_MS + 1)

    world.unbound_jobs = [job("k"), job("l")]
    assert await LostSubmitFinder(world, world, as_stored).found(job("k"), SENT_MS + 1)
