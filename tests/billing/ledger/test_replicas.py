"""A primary and its replica: what a mark waits for, and what freezes when one is promoted."""

import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC
from typing import Any

import pytest
from msgspec.structs import replace
from patience import TRIP_S
from redis.asyncio import Redis
from servers import served
from shop import SPEC as EASEL

from falgate.accounts.limits import PurchaseLimits
from falgate.billing.recover import recover
from falgate.billing.store.recovery import Recovery
from falgate.cache.pool import PoolVersion
from falgate.core.calendar import Calendar
from falgate.jobs.job import Job, NotDurable, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.frozen import Frozen
from falgate.money.store.trust import Trust
from falgate.money.store.verify import verify
from falgate.redis.client import connect, inspect
from falgate.redis.clock import Clock

UPSTREAM = "https://queue.example"
ENDPOINT = "fal-ai/model"
PRIMARY = "--repl-diskless-sync-delay 0 --repl-ping-replica-period 1"

Orders = Callable[..., Order]
Bring = Callable[..., Awaitable[Job]]
Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


SPEC = replace(EASEL, endpoint=ENDPOINT)


@pytest.fixture
def port(listening: dict[str, str]) -> str:
    """Where the primary is heard: a replica follows no socket."""
    return listening["FALGATE_LISTEN"].rpartition(":")[2]


@pytest.fixture
def url(port: str) -> Iterator[str]:
    """The primary's, for every other fixture."""
    with served("--bind", "127.0.0.1", "--port", port, *PRIMARY.split()) as server:
        yield server.url


@pytest.fixture
async def replica(
    url: str, port: str, redis: Redis, until: Until
) -> AsyncIterator[tuple[Redis, "subprocess.Popen[bytes]"]]:
    """A client of a replica that follows, and its process."""
    assert url
    with served("--port", "0", "--replicaof", "127.0.0.1", port) as server:

        async def follows() -> bool:
            state = await redis.info("replication")
            return bool(state["connected_slaves"] and state["slave0"]["state"] == "online")

        await until(follows)
        client = connect(server.url, timeout_s=TRIP_S)
        yield client, server.process
        await client.aclose()


def trust(redis: Redis, ledger_id: str) -> Trust:
    return Trust(redis, ledger_id, weak=False, clock=Clock())


async def test_a_mark_passes_when_the_replica_has_it(
    replica: tuple[Redis, Any],
    redis: Redis,
    jobs_of: Callable[..., Jobs],
    order: Orders,
    bring: Bring,
) -> None:
    job = await bring(order(), "reserved")
    jobs = jobs_of("one", durability=await inspect(redis, replicas=1, allow_weak=False))

    await jobs.mark(job)

    client, _ = replica
    copy: Any = await client.hget("{fg}:job:a", "state")
    assert copy == "submitting"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_mark_that_the_replica_does_not_get_is_refused_and_its_hold_goes_back(  # noqa: PLR0917 - fixtures
    replica: tuple[Redis, "subprocess.Popen[bytes]"],
    redis: Redis,
    jobs_of: Callable[..., Jobs],
    order: Orders,
    bring: Bring,
    money: Callable[[], Awaitable[tuple[int, int, int]]],
    monkeypatch: pytest.MonkeyPatch,
    how: signal.Signals,
) -> None:
    monkeypatch.setattr("falgate.jobs.store.jobs._BARRIER_MS", 50)
    jobs = jobs_of("one", durability=await inspect(redis, replicas=1, allow_weak=False))
    job = await bring(order(), "reserved")
    replica[1].send_signal(how)

    with pytest.raises(NotDurable):
        await jobs.mark(job)

    marked = await jobs.read("a")
    assert marked is not None
    await jobs.settle(marked, Settlement(state="released", charge=0))
    assert await money() == (0, 0, 0)
    assert (await verify(redis, UPSTREAM)).differences == ()


async def test_a_promoted_replica_sells_nothing_until_fals_books_were_read(  # noqa: PLR0917 - fixtures
    replica: tuple[Redis, "subprocess.Popen[bytes]"],
    redis: Redis,
    jobs_of: Callable[..., Jobs],
    order: Orders,
    bring: Bring,
    books: Any,
    ledger_id: str,
) -> None:
    under_way = await bring(order("a", "f"), "accepted")
    promoted, _ = replica
    assert await redis.wait(1, 10_000) == 1
    await promoted.replicaof("NO", "ONE")
    watched = trust(promoted, ledger_id)
    jobs = jobs_of("two", redis=promoted, regain=watched.look)

    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits()) == Frozen()
    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits()) == Frozen()
    # What was bought before is not stopped by it.
    await jobs.settle(under_way, Settlement(state="paid", charge=60))

    frozen, history = await Recovery(promoted, Calendar(UTC)).frozen()
    assert frozen is not None
    assert history.startswith((await promoted.info("server"))["run_id"])
    frozen_ms = frozen.since_ms
    books.know("fal-a", frozen_ms - 2_000, {"prompt": "a secret wish"})
    books.know("lost", frozen_ms - 1_000, {"prompt": "what the replica never heard of"})
    outcome = await recover(
        UPSTREAM,
        Recovery(promoted, Calendar(UTC)),
        jobs,
        books,
        {ENDPOINT: SPEC},
        act=True,
        lag_s=0,
    )

    assert (outcome.state, [found.request_id for found in outcome.found]) == ("thawed", ["lost"])
    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits()) == Held()
    assert (await verify(promoted, UPSTREAM)).differences == ()
