"""Completion hooks: which deliveries bind a request to a job, and how fal is answered."""
# ruff: noqa: D102 - the ports say what their methods do

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace

from falgate.core.errors import Unavailable
from falgate.core.events import Anomaly
from falgate.http.errors import HANDLERS
from falgate.http.fal_callback import hook_route
from falgate.jobs import callback_url
from falgate.jobs.callback import FalCallbacks
from falgate.jobs.job import Job, Order

pytestmark = pytest.mark.usefixtures("no_pauses")

SECRET = bytes(range(32))
BODY = b'{"request_id": "r-1", "payload": {"images": []}}'


def job(upstream: str = "fal", job_id: str = "j1", prompt_sha256: str = "p") -> Job:
    words: Any = dict.fromkeys(
        ("endpoint", "fingerprint", "team", "app", "key", "price_version"), "x"
    )
    numbers: Any = dict.fromkeys(("generation", "asked", "reused", "number", "held", "listed"), 1)
    words["prompt_sha256"] = prompt_sha256
    order = Order(id=job_id, upstream=upstream, input={}, recorded={}, **words, **numbers)
    return Job(
        order=order, accounts=(), state="submitting", owner="o", epoch=1, windows=(), began_ms=0
    )


class World:
    """Every port of the hook's.

    Attributes:
        jobs: That there are.
        accepted: What was bound, with the lease that was asked for.
        taken: Whether the request cannot be the job's.
        owned: To which job each request belongs.
        unbound_jobs: Jobs whose request nobody knows.
        signed: What fal's signature is taken for.
        anomalies: What an operator should look at.
    """

    def __init__(self) -> None:
        self.jobs = {"j1": job()}
        self.accepted: list[tuple[str, str, int | None]] = []
        self.taken = False
        self.owned: dict[str, str] = {}
        self.unbound_jobs: list[Job] = []
        self.signed: bool | Exception = True
        self.anomalies: list[str] = []
        self.asked = 0
        self.learnt: dict[str, str] = {}

    async def user(self, upstream: str) -> str:
        return self.learnt.get(upstream, "")

    async def learn(self, upstream: str, user: str) -> None:
        self.learnt.setdefault(upstream, user)

    async def now_ms(self) -> int:
        return 5_000

    async def read(self, job_id: str) -> Job | None:
        return self.jobs.get(job_id)

    async def accept(self, job: Job, request_id: str, *, lease_ms: int | None = None) -> bool:
        self.accepted.append((job.order.id, request_id, lease_ms))
        return not self.taken or job in self.unbound_jobs

    async def unbound(self, upstream: str) -> list[Job]:
        assert upstream == "fal"
        return self.unbound_jobs

    async def owner(self, upstream: str, request_id: str) -> str:
        assert upstream == "fal"
        return self.owned.get(request_id, "")

    async def valid(self, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
        assert now_s == 5
        assert body
        assert headers["x-fal-webhook-request-id"]
        self.asked += 1
        if isinstance(self.signed, Exception):
            raise self.signed
        return self.signed

    def anomaly(self, event: Anomaly) -> None:
        self.anomalies.append(event.what)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def fal(world: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever delivers, to the route itself."""
    completions = FalCallbacks(world, world, world, world, secret=SECRET, upstream="fal")
    app: Any = Litestar([hook_route(completions)], exception_handlers=HANDLERS, openapi_config=None)
    headers = {"x-fal-webhook-request-id": "r-1", "x-fal-webhook-user-id": "us"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gate", headers=headers
    ) as client:
        yield client


ADDRESS = callback_url.address("http://gate", SECRET, "j1")


async def test_a_delivery_binds_the_request_and_hands_the_job_to_the_reaper(
    world: World, fal: httpx.AsyncClient
) -> None:
    answer = await fal.post(ADDRESS, content=BODY)

    assert (answer.status_code, world.accepted) == (200, [("j1", "r-1", 0)])
    assert world.anomalies == []


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b'{"request_id": null}', b'{"other": 1}'])
async def test_without_an_id_in_the_payload_the_signed_header_tells(
    world: World, fal: httpx.AsyncClient, body: bytes
) -> None:
    await fal.post(ADDRESS, content=body)

    assert world.accepted == [("j1", "r-1", 0)]


@pytest.mark.parametrize("token", ["j1", f"j1.{'0' * 64}", "x", ADDRESS.rpartition("/")[2] + "0"])
async def test_an_address_that_was_not_given_out_is_like_any_unknown_path(
    world: World, fal: httpx.AsyncClient, token: str
) -> None:
    answer = await fal.post(f"/hooks/fal/{token}", content=BODY)
    unknown = await fal.post("/nowhere", content=BODY)

    assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert (world.asked, world.accepted) == (0, [])


async def test_what_fal_did_not_sign_is_refused(world: World, fal: httpx.AsyncClient) -> None:
    world.signed = False

    answer = await fal.post(ADDRESS, content=BODY)

    assert (answer.status_code, world.accepted) == (401, [])


async def test_while_fals_keys_cannot_be_read_it_is_asked_to_send_it_again(
    world: World, fal: httpx.AsyncClient
) -> None:
    world.signed = Unavailable("no keys")

    answer = await fal.post(ADDRESS, content=BODY)

    assert (answer.status_code, world.accepted) == (503, [])


@pytest.mark.parametrize("known", [{}, {"j1": job("elsewhere")}], ids=["forgotten", "another's"])
async def test_a_job_that_is_not_known_is_an_anomaly_and_fal_need_not_repeat_it(
    world: World, fal: httpx.AsyncClient, known: dict[str, Job]
) -> None:
    world.jobs = known

    answer = await fal.post(ADDRESS, content=BODY)

    assert (answer.status_code, world.accepted, world.anomalies) == (200, [], ["stray_hook"])


@pytest.mark.parametrize("request_id", ["../x", "a b", "a" * 65, 5])
async def test_an_id_that_cannot_be_one_is_an_anomaly(
    world: World, fal: httpx.AsyncClient, request_id: object
) -> None:
    answer = await fal.post(ADDRESS, json={"request_id": request_id})

    assert (answer.status_code, world.accepted, world.anomalies) == (200, [], ["stray_hook"])


async def test_a_second_request_of_a_job_is_an_anomaly(
    world: World, fal: httpx.AsyncClient
) -> None:
    world.taken = True

    answer = await fal.post(ADDRESS, content=BODY)

    assert (answer.status_code, world.anomalies) == (200, ["second_request_id"])


async def test_whose_jobs_they_are_is_learnt_from_a_request_that_fal_has_named(
    world: World, fal: httpx.AsyncClient
) -> None:
    await fal.post(ADDRESS, content=BODY)
    assert world.learnt == {}

    world.jobs = {"j1": replace(job(), request_id="r-1")}
    await fal.post(ADDRESS, content=BODY)
    assert world.learnt == {"fal": "us"}


async def test_what_fal_signed_for_another_account_is_not_believed(
    world: World, fal: httpx.AsyncClient
) -> None:
    world.learnt = {"fal": "us"}

    for user in ("them", "", "US"):
        answer = await fal.post(ADDRESS, content=BODY, headers={"x-fal-webhook-user-id": user})
        assert answer.status_code == 401
    assert (world.accepted, set(world.anomalies)) == ([], {"stray_hook"})

    assert (await fal.post(ADDRESS, content=BODY)).status_code == 200
    assert world.accepted == [("j1", "r-1", 0)]


async def test_the_account_that_is_set_is_stronger_than_the_one_that_was_learnt(
    world: Any,
) -> None:
    completions = FalCallbacks(
        world, world, world, world, secret=SECRET, upstream="fal", user="set"
    )
    world.learnt = {"fal": "us"}
    token, headers = ADDRESS.rpartition("/")[2], {"x-fal-webhook-request-id": "r-1"}

    for user, verdict in (("us", "foreign"), ("set", "bound")):
        said = {**headers, "x-fal-webhook-user-id": user}
        assert await completions.deliver(token, said, BODY) == verdict


async def test_a_request_that_a_twin_was_given_is_no_anomaly(
    world: World, fal: httpx.AsyncClient
) -> None:
    world.taken = True
    world.jobs["j2"] = job(job_id="j2")
    world.owned["r-1"] = "j2"

    answer = await fal.post(ADDRESS, content=BODY)

    assert (answer.status_code, world.anomalies) == (200, [])


async def test_a_request_that_is_left_over_is_given_to_the_uncertain_twin(
    world: World, fal: httpx.AsyncClient
) -> None:
    world.taken = True
    world.unbound_jobs = [job(job_id="j3", prompt_sha256="other"), job(job_id="j2")]

    await fal.post(ADDRESS, content=BODY)

    assert world.accepted == [("j1", "r-1", 0), ("j2", "r-1", 0)]
    assert world.anomalies == []


async def test_a_request_of_a_job_with_another_body_is_an_anomaly(
    world: World, fal: httpx.AsyncClient
) -> None:
    world.taken = True
    world.jobs["j2"] = job(job_id="j2", prompt_sha256="other")
    world.owned["r-1"] = "j2"

    await fal.post(ADDRESS, content=BODY)

    assert world.anomalies == ["second_request_id"]
