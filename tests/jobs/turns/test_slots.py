"""Slots at a busy upstream: handed on when their use ends, free when their instance died."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from patience import TRIP_S

from falgate.accounts.limits import Exceeded, PurchaseLimits
from falgate.jobs.job import Job
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.money.store.verify import verify
from falgate.redis import keyspace
from falgate.redis.client import connect

UPSTREAM = "https://queue.example"
SLOTS, WAITING, TURNS = (of(UPSTREAM) for of in (keyspace.slots, keyspace.waiting, keyspace.turns))
RELEASED = Settlement(state="released", charge=0)


async def pay(jobs: Jobs, job: Job) -> None:
    """Fal accepts and delivers."""
    await jobs.accept(job, "fal-1")
    accepted = await jobs.read(job.order.id)
    assert accepted is not None
    await jobs.settle(accepted, Settlement(state="paid", charge=1))


ENDS: dict[str, Callable[[Jobs, Job], Awaitable[object]]] = {
    "release": lambda jobs, job: jobs.settle(job, RELEASED),
    "settle": lambda jobs, job: jobs.settle(job, Settlement(state="unknown", charge=1)),
    "pay": pay,
    "uncertain": lambda jobs, job: jobs.mark_uncertain(job, "lost"),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_slot_is_handed_on_in_the_step_that_ends_its_use(
    end: str, line: Any, busy: str
) -> None:
    waits = await line.ask("web")
    await line.jobs.mark(await line.read(busy))
    assert not await line.jobs.turn(await line.read(waits))

    await ENDS[end](line.jobs, await line.read(busy))

    assert await line.in_service() == [waits]
    assert await line.jobs.turn(await line.read(waits))


@pytest.mark.usefixtures("busy")
async def test_who_is_released_while_it_waits_leaves_the_line_and_its_counts(line: Any) -> None:
    first, second = await line.crowd("web", 2)

    await line.release(first)

    assert await line.redis.zrange(WAITING, 0, -1) == [f"{second}:web"]
    assert await line.redis.hget(TURNS, "count:web") == "1"
    await line.release(second)
    assert await line.redis.exists(WAITING, TURNS) == 0
    assert (await verify(line.redis, UPSTREAM)).differences == ()


async def test_a_dead_instances_slot_is_free_when_its_reserved_job_is_closed(
    line: Any, busy: str, lapse: Callable[[str], Awaitable[None]], jobs_of: Callable[..., Jobs]
) -> None:
    waits = await line.ask("web")
    await lapse(busy)
    other = jobs_of("two", slots_max=1)

    adopted = await other.adopt(busy, UPSTREAM)
    assert adopted is not None
    assert await line.in_service() == [busy]
    await other.settle(adopted, RELEASED)

    assert await line.in_service() == [waits]


async def test_a_dead_instances_slot_is_free_when_its_submit_is_looked_for(
    line: Any, busy: str, lapse: Callable[[str], Awaitable[None]], jobs_of: Callable[..., Jobs]
) -> None:
    waits = await line.ask("web")
    await line.jobs.mark(await line.read(busy))
    await lapse(busy)
    other = jobs_of("two", slots_max=1)

    adopted = await other.adopt(busy, UPSTREAM)
    assert adopted is not None
    await other.mark_uncertain(adopted, "lost")

    assert await line.in_service() == [waits]
    await other.settle(adopted, Settlement(state="unknown", charge=1))
    assert await line.in_service() == [waits]


async def test_a_teams_cap_on_waiting_is_not_passed_by_asking_at_once(
    url: str, line: Any, jobs_of: Callable[..., Jobs], line_of: Callable[[Jobs], Any]
) -> None:
    clients = [connect(url, timeout_s=TRIP_S) for _ in range(2)]
    lines = [
        line_of(jobs_of(f"i{number}", redis=client, slots_max=2))
        for number, client in enumerate(clients)
    ]
    capped = PurchaseLimits(waiting_max=3)

    answers = await asyncio.gather(
        *(lines[number % 2].ask(f"web{number % 2}", capped) for number in range(40))
    )

    held = Counter(line.teams([answer for answer in answers if isinstance(answer, str)]))
    assert sum(held.values()) == 2 + 3 + 3
    assert set(held) == {"web0", "web1"}
    refused = [answer for answer in answers if not isinstance(answer, str)]
    assert {(each.what, each.limit) for each in refused} == {("waiting_generations", 3)}
    assert {each.account for each in refused} == {"team:web0", "team:web1"}
    assert await line.redis.zcard(SLOTS) == 2
    assert (await verify(line.redis, UPSTREAM)).differences == ()
    for client in clients:
        await client.aclose()


@pytest.mark.usefixtures("busy")
async def test_a_full_line_of_one_team_keeps_no_other_out_and_holds_nothing(
    line: Any, everything: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    capped = PurchaseLimits(waiting_max=2)
    await line.crowd("web", 2, terms=capped)
    before = await everything()

    assert await line.ask("web", capped) == Exceeded("team:web", "waiting_generations", 2, 5_000)

    assert await everything() == before
    assert line.teams([await line.ask("print", capped)]) == ["print"]
