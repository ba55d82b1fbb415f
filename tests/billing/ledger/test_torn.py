"""Half a script in the books, wherever it was torn: found, mended, and then done once after all."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC
from typing import Any, NamedTuple

import pytest
from adding_up import assert_added_up
from redis.asyncio import Redis
from servers import Server
from tearing import commands, replay, seams

from falgate.accounts.limits import PurchaseLimits
from falgate.billing.closed_job import Recovered
from falgate.billing.recover import recover
from falgate.billing.store.corrections import Corrections
from falgate.billing.store.recovery import Recovery
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.jobs.job import Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.charge import Charge
from falgate.money.store.archive import Archiving
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.money.store.verify import verify
from falgate.money.sums import MEASURES
from falgate.redis import keyspace

UPSTREAM = "https://queue.example"
CALENDAR = Calendar(UTC)
Orders = Callable[..., Order]


@pytest.fixture
def url(server: Server) -> str:
    """For every other fixture."""
    return server.url


class World(NamedTuple):
    """What writes entries, on one server."""

    redis: Redis
    jobs: Jobs
    order: Orders
    corrections: Corrections
    recovery: Recovery
    archiving: Archiving
    budgets: Budgets

    async def come(self, name: str, state: str) -> None:
        """Bring a job there."""
        assert (
            await self.jobs.hold(self.order(name, f"f-{name}"), PoolVersion(), PurchaseLimits())
            == Held()
        )
        if state == "reserved":
            return
        job = await self.jobs.read(name)
        assert job
        await self.jobs.mark(job)
        job = await self.jobs.read(name)
        assert job
        assert await self.jobs.accept(job, f"fal-{name}")

    async def settle(self, settlement: Settlement, name: str = "a") -> None:
        """Settle a job, as its owner does for as long as it takes."""
        job = await self.jobs.read(name)
        assert job
        if job.state != settlement.state:
            await self.jobs.settle(job, settlement, {"images": []})

    async def correct(self, billed: int) -> None:
        """Hold a job against fal's bill."""
        async for page in self.corrections.closes(UPSTREAM, 0, 10**14):
            for closed in page:
                await self.corrections.correct(UPSTREAM, closed, Charge(billed, 0), "bill")


class Case(NamedTuple):
    """What is done, after what; once it is done again, it is as if it had not been torn."""

    before: Callable[[World], Awaitable[None]]
    done: Callable[[World], Awaitable[Any]]


async def settled(world: World) -> None:
    await world.come("a", "accepted")
    await world.settle(Settlement(state="paid", charge=60, delivered=1))


async def corrected(world: World) -> None:
    await settled(world)
    await world.correct(70)


async def forgiven(world: World) -> None:
    await settled(world)
    await world.budgets.reset(UPSTREAM, ORGANISATION, "day", change="x", who="w")


CASES = {
    "paid": Case(
        lambda world: world.come("a", "accepted"),
        lambda world: world.settle(Settlement(state="paid", charge=60, delivered=1)),
    ),
    "more than held": Case(
        lambda world: world.come("a", "accepted"),
        lambda world: world.settle(Settlement(state="paid", charge=130, delivered=1)),
    ),
    "refused": Case(
        lambda world: world.come("a", "accepted"),
        lambda world: world.settle(Settlement(state="refused", charge=0, why="x")),
    ),
    "released": Case(
        lambda world: world.come("a", "reserved"),
        lambda world: world.settle(Settlement(state="released", charge=0)),
    ),
    "corrected": Case(settled, lambda world: world.correct(70)),
    "confirmed": Case(settled, lambda world: world.correct(60)),
    "corrected again": Case(corrected, lambda world: world.correct(50)),
    "corrected after a reset": Case(forgiven, lambda world: world.correct(50)),
    "found in fal's list": Case(
        settled,
        lambda world: world.recovery.book(
            UPSTREAM,
            Recovered(request_id="lost", model="m", sent_ms=1, job="", amount=90, billed=True),
            90,
        ),
    ),
}


@pytest.fixture
async def world(redis: Redis, jobs: Jobs, order: Orders, budgets: Budgets) -> World:
    await Ledger(redis).note_upstreams(UPSTREAM, [])
    return World(
        redis,
        jobs,
        order,
        Corrections(redis, owner="one"),
        Recovery(redis, CALENDAR, "w"),
        Archiving(redis, "one"),
        budgets,
    )


async def standing(world: World) -> dict[str, Any]:
    """What the money and the entries are, without their ids and times."""
    redis: Any = world.redis
    found = await redis.xrange(keyspace.ledger(UPSTREAM))
    kept: dict[str, Any] = {"entries": [fields for _, fields in found]}
    for key in (keyspace.overage(UPSTREAM), keyspace.corrected(UPSTREAM), keyspace.torn(UPSTREAM)):
        kept[key] = await redis.hgetall(key)
    async for key in redis.scan_iter("{fg}:account:*", count=1000):
        figures = await redis.hgetall(key)
        kept[key] = {
            name: figure
            for name, figure in figures.items()
            if figure != "0" and not name.startswith(("reset:", "budget:"))
        }
    async for key in redis.scan_iter("{fg}:usage:*", count=1000):
        measures = await redis.hgetall(key)
        # How much was compared is in no entry, and in no verification.
        kept[key] = {
            name: number
            for name, number in measures.items()
            if number != "0" and name.rpartition(":")[2] in MEASURES
        }
    kept["open"] = sorted(await redis.zrange(keyspace.open_jobs(UPSTREAM), 0, -1))
    kept["ended"] = sorted(await redis.zrange(keyspace.ended_jobs(UPSTREAM), 0, -1))
    kept["submits"] = await redis.hgetall(keyspace.submits(UPSTREAM))
    return kept


async def recovered(world: World) -> str:
    outcome = await recover(UPSTREAM, world.recovery, world.jobs, None, {}, act=True)
    return outcome.state


@pytest.mark.parametrize("name", CASES)
async def test_torn_anywhere_it_is_found_and_mended_and_then_done_once(
    name: str, server: Server, world: World, pytestconfig: pytest.Config
) -> None:
    case, redis = CASES[name], world.redis
    await case.before(world)
    before = commands(server.log.read_bytes())
    await case.done(world)
    half = commands(server.log.read_bytes())[len(before) :]
    assert [half[0], half[-1]] == [[b"MULTI"], [b"EXEC"]], "one transaction"
    whole = await standing(world)
    assert (await verify(redis, UPSTREAM)).differences == ()

    for at in range(len(half) - 2) if pytestconfig.getoption("full") else seams(half[1:-1]):
        await replay(redis, [*before, *half[1 : 1 + at]])
        torn = bool((await verify(redis, UPSTREAM)).differences)
        assert torn == bool(at), "only what nothing is there of is sound"
        if torn:
            found = await standing(world)
            with suppress(Unavailable):  # It is refused, or there is nothing to do.
                await case.done(world)
            assert await standing(world) == found
        assert await recovered(world) == ("mended" if torn else "sound")
        assert (await verify(redis, UPSTREAM)).differences == ()
        await case.done(world)
        assert (await verify(redis, UPSTREAM)).differences == ()
        assert await standing(world) == whole, f"torn behind {half[at]!r}"
        await world.archiving.sweep(UPSTREAM)
        await assert_added_up(redis, UPSTREAM)


async def test_an_archive_that_was_torn_opens_the_balances_once(
    server: Server, world: World
) -> None:
    await corrected(world)
    before = commands(server.log.read_bytes())
    batch = await world.archiving.first(UPSTREAM, 1)
    sums = {"organisation:main|total:all|spent": 60}

    async def archive() -> bool:
        return await world.archiving.take_out(UPSTREAM, batch, sums)

    assert await archive()
    half = commands(server.log.read_bytes())[len(before) :]
    ledger, opening = keyspace.ledger(UPSTREAM), keyspace.opening(UPSTREAM)
    whole = (await world.redis.hgetall(opening), await world.redis.xlen(ledger))
    assert whole[0]["organisation:main|total:all|spent"] == "60"

    for at in range(1, len(half) - 2):
        await replay(world.redis, [*before, *half[1 : 1 + at]])
        found = (await verify(world.redis, UPSTREAM)).differences
        assert "torn" in {each.counter for each in found}
        await Recovery(world.redis, CALENDAR, "w").undo_torn(UPSTREAM)
        await archive()
        assert (await world.redis.hgetall(opening), await world.redis.xlen(ledger)) == whole
        assert not await world.redis.exists(keyspace.next_opening(UPSTREAM))
