"""Two real servers, and what the tests of the money store say and look at there."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from contents import contents
from patience import PATIENCE_S, TRIP_S
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from servers import Server, served
from two_servers import SERVERS

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar, Kind
from falgate.jobs.job import Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.budget import Budget
from falgate.money.store.budgets import Budgets
from falgate.money.store.instance import Instance
from falgate.money.store.ledger import Ledger
from falgate.redis import keyspace
from falgate.redis.client import Durability, connect

# Where it is about noon: no test meets midnight unless it means to.
CALENDAR = Calendar(timezone(timedelta(hours=12 - datetime.now(UTC).hour)))
UPSTREAM = "https://queue.example"


_FAMILIES = {each.family: each for each in keyspace.KEYS.values()}

ON_BOTH = {
    "test_archiving",
    "test_budgets",
    "test_deliveries",
    "test_forgetting",
    "test_housekeeping",
    "test_memory",
    "test_pools",
    "test_rates",
    "test_recovery",
    "test_registry",
    "test_repeats",
    "test_requests",
    "test_script",
    "test_turns",
    "test_usage",
    "test_usage_sums",
    "test_uses",
}
"""Between them they run each script. They run on both servers; the others do so with --full."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what repeats a test on the other server."""
    repeated = [] if config.getoption("full") else [item for item in items if _repeats(item)]
    config.hook.pytest_deselected(items=repeated)
    items[:] = [item for item in items if item not in repeated]


def _repeats(item: pytest.Item) -> bool:
    always = item.path.stem in ON_BOTH and item.path.parent.name != "contract"
    if always or not isinstance(item, pytest.Function):
        return False
    return hasattr(item, "callspec") and item.callspec.params.get("url") == "redis-7.0"


@pytest.fixture(scope="session", params=SERVERS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a server listens that writes every reply to its disk first."""
    with tempfile.TemporaryDirectory(prefix="fg-") as directory:
        yield from SERVERS[request.param](Path(directory))


def _misplaced(key: str, kind: Any, *, expires: bool) -> str | None:
    family = _FAMILIES.get(key.partition(":")[2].partition(":")[0])
    if family is None:
        return f"{key}: no such family"
    if kind != family.kind:
        return f"{key}: a {kind}, not a {family.kind}"
    if expires != (family.lives == "expires") and family.lives != "either":
        return f"{key}: {'expires' if expires else 'does not expire'}, and is kept {family.kept}"
    return None


async def _leaks(redis: Redis) -> list[str]:
    found = [
        _misplaced(key, await redis.type(key), expires=await redis.pttl(key) >= 0)
        async for key in redis.scan_iter(count=1000)
    ]
    return [complaint for complaint in found if complaint]


@pytest.fixture
def leaks(redis: Redis) -> Callable[[], Awaitable[list[str]]]:
    """Every key that is not listed, or does not live as long as listed."""
    return lambda: _leaks(redis)


@pytest.fixture
async def redis(url: str) -> AsyncIterator[Redis]:
    """A client of an empty server; whatever a test leaves there has to be listed."""
    client = connect(url, timeout_s=TRIP_S)
    await client.flushall()
    send: Any = client.execute_command

    async def in_one_slot(*command: Any, **options: Any) -> Any:
        if command[0] in {"EVAL", "EVALSHA"}:
            slots = {str(key).partition("}")[0] for key in command[3 : 3 + command[2]] if key}
            assert len(slots) <= 1, "Redis Cluster runs no script on keys of several slots"
        return await send(*command, **options)

    client.execute_command = in_one_slot  # type: ignore[method-assign]  # as Cluster would
    yield client
    assert await _leaks(client) == []
    await client.aclose()


@pytest.fixture
async def nobody(closed_port_url: str) -> AsyncIterator[Redis]:
    """A client of a server that is not there, which does not try it again."""
    async with connect(closed_port_url) as client:
        client.set_retry(Retry(NoBackoff(), 0))
        yield client


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


@pytest.fixture
def calendar() -> Calendar:
    return CALENDAR


@pytest.fixture
def budgets(redis: Redis) -> Budgets:
    return Budgets(redis, CALENDAR)


@pytest.fixture
def limit(budgets: Budgets) -> Callable[..., Awaitable[None]]:
    """Sets a budget, whatever it was: the amount first, then of whom and for how long."""

    async def put(
        amount: int, kind: Kind = "day", charged: Account = ORGANISATION, **more: Any
    ) -> None:
        was = await budgets.read(UPSTREAM, charged, kind)
        now = Budget(limit=amount, **more)
        assert await budgets.put(UPSTREAM, charged, kind, was=was, now=now, who="test")

    return put


@pytest.fixture
def server() -> Iterator[Server]:
    """Debian's Redis, of a test that hangs, kills or reads it."""
    with served() as server:
        yield server


@pytest.fixture
async def ledger_id(ledger: Ledger, budgets: Budgets, limit: Callable[..., Awaitable[None]]) -> str:
    """Opens the books: 1,000 micro-USD a day and 5,000 in all, and 100 in the overage account."""
    await limit(1_000, "day")
    await limit(5_000, "total")
    await budgets.open_overage(UPSTREAM, 100)
    now = await ledger.standing()
    assert await ledger.trust(now.history, now.trusted)
    return await ledger.birth(None, CALENDAR)


@pytest.fixture
def jobs_of(redis: Redis, ledger_id: str) -> Callable[..., Jobs]:
    """An instance's view of the jobs; its name first, then whatever is unusual about it."""

    def make(owner: str, kind: type[Jobs] = Jobs, **changes: Any) -> Jobs:
        usual: dict[str, Any] = {
            "ledger_id": ledger_id,
            "calendar": CALENDAR,
            "lease_ms": 60_000,
            "durability": Durability(),
        }
        shown = changes.pop("redis", redis)
        return kind(shown, Instance(owner=owner, **usual | changes))

    return make


@pytest.fixture
def jobs(jobs_of: Callable[..., Jobs]) -> Jobs:
    return jobs_of("one")


@pytest.fixture
def order() -> Callable[..., Order]:
    """An order of 100 micro-USD; its id and its fingerprint first, then what is unusual."""

    def make(job_id: str = "a", fingerprint: str = "f", **changes: Any) -> Order:
        usual = Order(
            id=job_id,
            upstream=UPSTREAM,
            endpoint="fal-ai/model",
            fingerprint=fingerprint,
            generation=0,
            team="t",
            app="p",
            key="k",
            asked=1,
            reused=0,
            number=1,
            held=100,
            listed=90,
            price_version="1",
            input={"prompt": "a secret wish"},
            recorded={"quality": "low"},
        )
        return msgspec.structs.replace(usual, **changes)

    return make


@pytest.fixture
def bring(jobs: Jobs) -> Callable[..., Awaitable[Job]]:
    """Brings a new job to a state, by the steps of a purchase that goes well."""

    async def read(job_id: str) -> Job:
        job = await jobs.read(job_id)
        assert job is not None
        return job

    async def bring(order: Order, state: State, charge: int = 60) -> Job:
        assert await jobs.hold(order, PoolVersion(), PurchaseLimits()) == Held()
        if state == "reserved":
            return await read(order.id)
        await jobs.mark(await read(order.id))
        if state == "submitting":
            return await read(order.id)
        assert await jobs.accept(await read(order.id), f"fal-{order.id}")
        if state == "accepted":
            return await read(order.id)
        paid = Settlement(state="paid", charge=charge, delivered=1, listed=order.listed)
        await jobs.settle(await read(order.id), paid, {"images": []})
        return await read(order.id)

    return bring


@pytest.fixture
def money(budgets: Budgets) -> Callable[[], Awaitable[tuple[int, int, int]]]:
    """What is spent, what is held, and what the overage account bore; the same in every window."""

    async def look() -> tuple[int, int, int]:
        found = await budgets.positions(UPSTREAM, ORGANISATION)
        ((spent, held),) = {(position.spent, position.held) for position in found}
        _, overrun = await budgets.overage(UPSTREAM)
        return spent, held, overrun

    return look


@pytest.fixture
def everything(redis: Redis) -> Callable[[], Awaitable[dict[str, Any]]]:
    """All that Redis holds but the times: what a repeated step must not change."""
    return lambda: contents(redis)


@pytest.fixture
def lapse(redis: Redis) -> Callable[[str], Awaitable[None]]:
    """Lets a job's lease run out, as if its owner had stopped long ago."""

    async def lapse(job_id: str) -> None:
        assert await redis.zadd(keyspace.open_jobs(UPSTREAM), {job_id: 1}, xx=True, ch=True)

    return lapse


@pytest.fixture
def until() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    """Waits until something is true, and fails when that takes long."""

    async def wait(true: Callable[[], Awaitable[bool]]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not await true():
            assert time.monotonic() < end_s
            await asyncio.sleep(0.005)

    return wait
