"""Servers whose history is not the ledger's: promoted, promoted back, or with a torn file."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC
from typing import Any

import pytest
from adding_up import assert_added_up
from patience import TRIP_S
from redis.asyncio import Redis
from servers import Server, served

from falgate.accounts.limits import PurchaseLimits
from falgate.billing.recover import recover
from falgate.billing.store.recovery import Recovery
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.jobs.job import Job, Order
from falgate.jobs.settlement import Settlement
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.verdicts import Held
from falgate.money.frozen import COUNTERS, LOST, Frozen
from falgate.money.store.ledger import Ledger
from falgate.money.store.trust import Trust
from falgate.money.store.verify import verify
from falgate.redis import keyspace, usage_keys
from falgate.redis.client import connect
from falgate.redis.clock import Clock
from falgate.redis.rewriting import rewrite

UPSTREAM = "https://queue.example"
PRIMARY = "--repl-diskless-sync-delay 0 --repl-ping-replica-period 1 --bind 127.0.0.1 --port"

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
Bring = Callable[..., Awaitable[Job]]
Orders = Callable[..., Order]


@pytest.fixture
def ports(listening: dict[str, str]) -> list[str]:
    return [each.rpartition(":")[2] for each in listening.values()]


@pytest.fixture
def server(ports: list[str]) -> Iterator[Server]:
    with served(*PRIMARY.split(), ports[0]) as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    """For every other fixture."""
    return server.url


@pytest.fixture
async def other(ports: list[str]) -> AsyncIterator[Redis]:
    """A second server, which follows nobody yet."""
    with served(*PRIMARY.split(), ports[1]) as server:
        async with connect(server.url, timeout_s=TRIP_S) as client:
            yield client


@pytest.fixture
async def watched(redis: Redis, ledger: Ledger, ledger_id: str) -> Trust:
    """An instance that has seen the ledger where it is."""
    await ledger.note_upstreams(UPSTREAM, [])
    trust = Trust(redis, ledger_id, weak=False, clock=Clock())
    await trust.look()
    return trust


async def follow(until: Until, follower: Redis, leader: Redis, port: str) -> None:
    await follower.replicaof("127.0.0.1", port)

    async def follows() -> bool:
        state = await follower.info("replication")
        ahead = await leader.info("replication")
        same = state["master_repl_offset"] == ahead["master_repl_offset"]
        return bool(state["master_link_status"] == "up" and same)

    await until(follows)


def command(*words: str) -> bytes:
    spelt = [f"${len(word)}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(spelt)}".encode()


def tear(server: Server, *counters: tuple[str, str, str]) -> None:
    """Leave half a transaction at the end of the file, as a crash in the middle of a write does."""
    whole = b"".join(command("HINCRBY", *counter) for counter in counters)
    with server.log.open("ab") as file:
        file.write(command("MULTI") + whole + command("HINCRBY", "x", "y", "1")[:-3])


async def standing(redis: Redis) -> Frozen | None:
    return (await Ledger(redis).standing()).frozen


async def test_an_old_primary_that_is_promoted_again_is_not_taken_for_what_it_was(  # noqa: PLR0917 - fixtures
    redis: Redis,
    other: Redis,
    ports: list[str],
    until: Until,
    watched: Trust,
    jobs_of: Callable[..., Jobs],
    order: Orders,
    bring: Bring,
) -> None:
    await follow(until, other, redis, ports[0])
    await watched.look()
    assert await standing(redis) is None, "a first replica loses nothing"
    run_id = (await redis.info("server"))["run_id"]
    await other.replicaof("NO", "ONE")
    await bring(order("lost", "f"), "paid", charge=60)

    await follow(until, redis, other, ports[1])
    with pytest.raises(Unavailable, match="replica"):
        await watched.look()
    await redis.replicaof("NO", "ONE")

    assert (await redis.info("server"))["run_id"] == run_id
    assert await redis.exists(keyspace.job("lost")) == 0
    held = await jobs_of("one", regain=watched.look).hold(
        order("b", "g"), PoolVersion(), PurchaseLimits()
    )
    assert held == Frozen(LOST)
    with pytest.raises(Unavailable, match="falgate ledger recover"):
        await watched.sound()


async def test_a_primary_that_lost_what_was_seen_did_not_merely_take_another_id(  # noqa: PLR0917 - fixtures
    redis: Redis,
    other: Redis,
    ports: list[str],
    until: Until,
    watched: Trust,
    order: Orders,
    bring: Bring,
) -> None:
    await follow(until, other, redis, ports[0])
    await watched.look()
    await follow(until, other, redis, ports[0])  # with what was trusted
    await other.replicaof("NO", "ONE")
    await bring(order("lost", "f"), "paid", charge=60)
    await watched.look()

    await follow(until, redis, other, ports[1])
    await redis.replicaof("NO", "ONE")
    await redis.config_set("repl-backlog-ttl", "1")

    async def forgot_its_promotion() -> bool:
        return bool((await redis.info("replication"))["second_repl_offset"] == -1)

    await until(forgot_its_promotion)
    await watched.look()

    frozen = await standing(redis)
    assert frozen is not None
    assert frozen.why == LOST


async def test_a_replication_id_that_changed_while_nobody_looked_is_not_trusted(  # noqa: PLR0917 - fixtures
    redis: Redis, other: Redis, ports: list[str], until: Until, ledger_id: str, watched: Trust
) -> None:
    await watched.look()
    await follow(until, other, redis, ports[0])

    await Trust(redis, ledger_id, weak=False, clock=Clock()).look()

    frozen = await standing(redis)
    assert frozen is not None
    assert frozen.why == LOST


async def test_a_server_that_began_anew_has_a_new_file_before_more_is_bought(
    server: Server, redis: Redis, watched: Trust, jobs_of: Callable[..., Jobs], order: Orders
) -> None:
    account = keyspace.account(UPSTREAM, ORGANISATION)
    jobs = jobs_of("one", regain=watched.look)
    server.kill()
    tear(server, (account, "spent:total:all", "72000"))
    server.start()

    assert await jobs.hold(order("a", "f"), PoolVersion(), PurchaseLimits()) == Held()

    assert b"72000" not in b"".join(each.read_bytes() for each in server.folder.rglob("*.aof"))
    server.kill()
    server.start()
    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits()) == Held()
    assert (await verify(redis, UPSTREAM)).differences == ()
    assert await standing(redis) is None


@pytest.mark.parametrize("seen", ["looked at", "written by itself"])
async def test_a_server_that_lost_entries_which_were_seen_is_not_taken_for_a_mere_restart(  # noqa: PLR0917 - fixtures
    server: Server,
    redis: Redis,
    watched: Trust,
    bring: Bring,
    order: Orders,
    jobs_of: Callable[..., Jobs],
    seen: str,
) -> None:
    files, copy = server.folder / "appendonlydir", server.folder / "copy"
    await bring(order("a", "f"), "paid", charge=60)
    job = await bring(order("b", "g"), "accepted")
    await watched.look()
    shutil.copytree(files, copy)
    jobs = jobs_of("one", wrote=watched.wrote)
    await jobs.settle(job, Settlement(state="paid", charge=60))
    if seen == "looked at":
        await watched.look()

    server.kill()
    shutil.rmtree(files)
    copy.rename(files)
    server.start()
    await watched.look()

    frozen = await standing(redis)
    assert frozen is not None
    assert frozen.why == LOST


@pytest.fixture
async def torn(server: Server, redis: Redis, watched: Trust, bring: Bring, order: Orders) -> Trust:
    """A ledger whose file was torn, and whose server was started twice before anybody looked."""
    job = await bring(order("a", "f"), "paid", charge=60)
    day = next(window for window in job.windows if window.startswith("day:"))
    organisation = keyspace.account(UPSTREAM, ORGANISATION)
    team = keyspace.account(UPSTREAM, Account("team", "t"))
    server.kill()
    tear(
        server,
        (organisation, f"held:{day}", "-88000"),
        (organisation, "open", "-1"),
        (team, f"spent:{day}", "72000"),
        (keyspace.overage(UPSTREAM), "overrun", "5"),
        (usage_keys.usage(UPSTREAM, day.removeprefix("day:")), "t/p:billed", "7"),
    )
    server.start()
    # What is written meanwhile ends the half transaction.
    await redis.eval("redis.call('INCR', KEYS[1]) redis.call('INCR', KEYS[1])", 1, "{fgr}:rate:x")
    await redis.delete("{fgr}:rate:x")
    server.kill()
    server.start()
    return watched


async def test_torn_counters_freeze_and_are_mended_by_the_ledger(
    redis: Redis, torn: Trust, jobs_of: Callable[..., Jobs], order: Orders
) -> None:
    jobs = jobs_of("one", regain=torn.look)
    assert len((await verify(redis, UPSTREAM)).differences) == 5
    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits()) == Frozen(COUNTERS)
    recovery = Recovery(redis, Calendar(UTC), "me")
    named: dict[str, Any] = {"platform": None, "models": {}}

    shown = await recover(UPSTREAM, recovery, jobs, act=False, **named)
    assert (shown.state, len(shown.mended)) == ("shown", 5)
    assert len((await verify(redis, UPSTREAM)).differences) == 5
    done = await recover(UPSTREAM, recovery, jobs, act=True, **named)
    again = await recover(UPSTREAM, recovery, jobs, act=True, **named)
    await assert_added_up(redis, UPSTREAM)

    assert (done.state, len(done.mended), again.state) == ("thawed", 5, "sound")
    assert (await verify(redis, UPSTREAM)).differences == ()
    assert await redis.xlen(keyspace.AUDIT) >= 5
    assert await jobs.hold(order("b", "g"), PoolVersion(), PurchaseLimits()) == Held()


async def test_a_file_that_cannot_be_written_anew_is_not_trusted(
    server: Server, redis: Redis, watched: Trust, jobs_of: Callable[..., Jobs], order: Orders
) -> None:
    server.kill()
    server.start()
    rights: Any = {"categories": ["+@all"], "commands": ["-bgrewriteaof"], "keys": ["*"]}
    await redis.acl_setuser("default", enabled=True, nopass=True, channels=["*"], **rights)

    with pytest.raises(Unavailable, match="BGREWRITEAOF"):
        await jobs_of("one", regain=watched.look).hold(order(), PoolVersion(), PurchaseLimits())
    # A later version has no such fault.
    await rewrite(redis, "7.2.4")

    await redis.acl_setuser("default", commands=["+bgrewriteaof"])
    held = await jobs_of("one", regain=watched.look).hold(order(), PoolVersion(), PurchaseLimits())
    assert held == Held()
