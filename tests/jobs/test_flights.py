"""Waiting for a job: woken, or by looking; until the deadline, or until the process leaves."""
# ruff: noqa: D102 - the ports say what their methods do

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from patience import PATIENCE_S

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.errors import TimedOut, Unavailable
from falgate.jobs import watcher as module
from falgate.jobs.job import Order
from falgate.jobs.notifier import Notifier, end_of
from falgate.jobs.watcher import Gone, JobWatcher

pytestmark = pytest.mark.usefixtures("no_pauses")

LATER_S = 60.0


def order() -> Order:
    return Order(
        id="1",
        upstream="fal",
        endpoint="acme/easel",
        fingerprint="f",
        generation=0,
        team="t",
        app="a",
        key="k",
        asked=1,
        reused=0,
        number=1,
        held=107,
        listed=100,
        price_version="1",
        input={},
        recorded={},
    )


class Jobs:
    """The jobs' port with one job, counting the looks at it."""

    def __init__(self, steps: Any, jobs: Any) -> None:
        self.steps, self.jobs = steps, jobs
        self.begun = self.looks = 0

    async def open(self) -> None:
        await self.jobs.hold(order(), PoolVersion(), PurchaseLimits(limits=()))

    def change(self, **changes: Any) -> None:
        self.jobs.jobs["1"] = replace(self.jobs.jobs["1"], **changes)

    async def read(self, job_id: str) -> Any:
        self.begun += 1
        job = await self.jobs.read(job_id)
        self.looks += 1
        return job


@pytest.fixture
async def jobs(new_memory: Any) -> Jobs:
    steps, _, jobs = new_memory()
    opened = Jobs(steps, jobs)
    await opened.open()
    return opened


def flights_over(jobs: Any, notifier: Notifier | None = None) -> JobWatcher:
    return JobWatcher(jobs, notifier or Notifier())


def in_s(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def looked(jobs: Jobs, times: int) -> None:
    """Wait until the job was looked at so often."""
    async with asyncio.timeout(PATIENCE_S):
        while jobs.looks < times:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0)


async def test_a_job_that_has_ended_is_there_at_once(jobs: Jobs) -> None:
    jobs.change(state="refused")

    assert (await flights_over(jobs).ended("1", in_s(LATER_S))).state == "refused"
    assert jobs.looks == 1


@pytest.mark.parametrize("trouble", ["lost", "unbanked"])
async def test_trouble_ends_the_waiting(jobs: Jobs, trouble: str) -> None:
    jobs.change(state="accepted", trouble=trouble)

    assert (await flights_over(jobs).ended("1", in_s(LATER_S))).trouble == trouble


async def test_a_wake_up_makes_it_look(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 60.0)
    notifier = Notifier()
    flights = flights_over(jobs, notifier)
    waiting = asyncio.create_task(flights.ended("1", in_s(LATER_S)))
    await looked(jobs, 1)
    jobs.change(state="released")
    notifier.wake(end_of("another"))
    notifier.wake(end_of("1"))

    assert (await waiting).state == "released"
    assert jobs.looks == 2


async def test_a_wake_up_is_good_for_one_look(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 60.0)
    notifier = Notifier()
    flights = flights_over(jobs, notifier)
    waiting = asyncio.create_task(flights.ended("1", in_s(LATER_S)))
    await looked(jobs, 1)
    notifier.wake(end_of("1"))
    await looked(jobs, 2)
    for _ in range(20):
        await asyncio.sleep(0)
    waiting.cancel()

    assert jobs.begun == 2


async def test_a_wake_up_during_a_look_is_not_lost(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 60.0)
    notifier = Notifier()
    flights = flights_over(jobs, notifier)
    jobs.steps.gates["read"] = gate = asyncio.Event()
    stale = jobs.jobs.jobs["1"]
    waiting = asyncio.create_task(flights.ended("1", in_s(LATER_S)))
    async with asyncio.timeout(PATIENCE_S):
        while not jobs.begun:  # noqa: ASYNC110 - a counter has no event
            await asyncio.sleep(0)
    notifier.wake(end_of("1"))
    gate.set()
    await looked(jobs, 2)
    assert jobs.jobs.jobs["1"] == stale
    jobs.change(state="finished")
    notifier.wake(end_of("1"))

    assert (await waiting).state == "finished"


async def test_a_lost_wake_up_is_found_by_looking(jobs: Jobs) -> None:
    waiting = asyncio.create_task(flights_over(jobs).ended("1", in_s(LATER_S)))
    await looked(jobs, 1)
    jobs.change(state="finished")

    assert (await waiting).state == "finished"


async def test_one_look_serves_all_who_wait(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 60.0)
    notifier = Notifier()
    flights = flights_over(jobs, notifier)
    waiting = [asyncio.create_task(flights.ended("1", in_s(LATER_S))) for _ in range(50)]
    await looked(jobs, 1)
    jobs.change(state="finished")
    notifier.wake(end_of("1"))

    assert {job.state for job in await asyncio.gather(*waiting)} == {"finished"}
    assert jobs.looks == 2


async def test_one_who_leaves_does_not_take_the_others_along(jobs: Jobs) -> None:
    flights = flights_over(jobs)
    leaver, stayer = (asyncio.create_task(flights.ended("1", in_s(LATER_S))) for _ in range(2))
    await looked(jobs, 1)
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    jobs.change(state="finished")

    assert (await stayer).state == "finished"


async def test_nobody_looks_when_nobody_waits_any_more(jobs: Jobs) -> None:
    notifier = Notifier()
    flights = flights_over(jobs, notifier)
    with pytest.raises(TimedOut):
        await flights.ended("1", in_s(0.005))
    before = jobs.looks
    notifier.wake(end_of("1"))
    await asyncio.sleep(3 * module.LOOK_AGAIN_S)

    assert jobs.looks == before


async def test_who_comes_back_sees_what_has_happened_meanwhile(jobs: Jobs) -> None:
    flights = flights_over(jobs)
    jobs.change(state="paid", trouble="unbanked")
    assert (await flights.ended("1", in_s(LATER_S))).state == "paid"
    jobs.change(state="finished", trouble="")

    assert (await flights.ended("1", in_s(LATER_S))).state == "finished"


@pytest.mark.parametrize("wait_s", [0.005, 0.0, -1.0])
async def test_the_deadline_ends_the_waiting_and_tells_clients_not_to_hammer(
    jobs: Jobs, wait_s: float
) -> None:
    with pytest.raises(TimedOut) as refused:
        await flights_over(jobs).ended("1", in_s(wait_s))

    assert refused.value.headers()["X-Fal-Request-Timeout-Type"] == "user"


async def test_a_job_that_was_forgotten_is_gone(jobs: Jobs) -> None:
    with pytest.raises(Gone):
        await flights_over(jobs).ended("2", in_s(LATER_S))


async def test_an_outage_is_waited_out(jobs: Jobs) -> None:
    jobs.steps.fail("read", Unavailable("away"), times=2)
    jobs.change(state="finished")

    assert (await flights_over(jobs).ended("1", in_s(LATER_S))).state == "finished"


async def test_closing_lets_everybody_go_with_a_reason_to_ask_again(jobs: Jobs) -> None:
    notifier = Notifier()
    flights = flights_over(jobs, notifier)
    waiting = [asyncio.create_task(flights.ended("1", in_s(LATER_S))) for _ in range(3)]
    await looked(jobs, 1)
    notifier.close()

    for waiter in waiting:
        with pytest.raises(Unavailable) as refused:
            await asyncio.wait_for(waiter, timeout=5)
        assert refused.value.status == 503
        assert int(refused.value.headers()["Retry-After"]) > 0
    with pytest.raises(Unavailable):
        await flights.ended("1", in_s(LATER_S))
