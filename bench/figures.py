"""The benchmark of the figures: what each route of the admin API takes on a large organisation.

`make bench-books` runs it too. On a ledger of a million entries, as `bench.ledger` fills it, there
are 100,000 keys, each with a budget, 100,000 lines of the audit log, and 200 jobs under way. The
routes are called in this process, without a socket. Times are of the CPU, of the gateway and of
Redis together, which other processes hardly change: the first call, and the quickest of some more.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from litestar import Litestar
from redis.asyncio import Redis

from bench.ledger import APPS, TEAMS, UPSTREAM, fill
from falgate import settings as setting
from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import App, Team
from falgate.accounts.store.registry import Registry
from falgate.admin_app import open_admin_app
from falgate.core.account import Account
from falgate.jobs.job import Order
from falgate.money.activity import MEASURES
from falgate.money.store.usage_sums import UsageSums
from falgate.redis import keyspace, usage_keys
from falgate.redis.client import connect
from falgate.redis.embedded import EmbeddedRedis

T = TypeVar("T")
RUNS = 5
PIPELINE = 2_000
KEYS, LINES, JOBS = 100_000, 100_000, 200
LEASED_UNTIL_MS = 4_000_000_000_000
"""Until then no instance takes the jobs over."""
ADMIN_KEY = apikey.mint("admin", b"\x01" * apikey.ID_BYTES, b"\x02" * apikey.SECRET_BYTES)


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=KEYS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fg-") as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        try:
            asyncio.run(measure(server.url, Path(folder), given.entries, given.keys))
        finally:
            server.leave()


async def measure(url: str, folder: Path, entries: int, keys: int) -> None:
    """Fill, call every route, and print what it took."""
    first, last = await fill(url, entries)
    redis = connect(url)
    await furnish(redis, keys)
    settings = setting.read(
        {
            "FALGATE_REDIS_URL": url,
            "FALGATE_DATA_DIR": str(folder),
            "FALGATE_UPSTREAM_URL": setting.SANDBOX,
        }
    )
    app_of = await open_admin_app(settings, redis, admin_key=ADMIN_KEY, pictures=True)
    app = app_of("", "")
    print(f"{entries:,} entries, {keys:,} keys with a budget each; milliseconds of CPU:")
    for path, query in routes(first, last):
        await report(redis, app, path, query)
    await redis.aclose()


def routes(first: str, last: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every route that is measured, with a query that makes it work hard."""
    days = {"from": first, "to": last}
    yield "/overview", {}
    yield "/overview", {"team": "team-07"}
    yield "/activity", {"by": "hour", "from": last, "to": last}
    yield "/activity", {"by": "day", **days}
    yield "/activity", {"by": "month"}
    yield "/activity", {"by": "day", "app": "team-07/app-1", **days}
    yield "/jobs", {}
    yield "/ledger", {}
    yield "/ledger", {"team": "team-07", "from": first, "to": first}
    yield "/ledger", {"key": "none"}
    yield "/ledger", {"reconciled": "yes"}
    yield "/ledger/totals", days
    yield "/ledger/totals", {"model": "fal-ai/gpt-image-1.5", **days}
    yield "/ledger/totals", {"key": "k0000000071", **days}
    yield "/ledger/health", {}
    yield "/keys", {}
    yield "/audit", {}
    yield "/budgets", {}
    yield "/status", {}


async def report(redis: Redis, app: Litestar, path: str, query: dict[str, str]) -> None:
    """Call a route some times, and print what that took."""
    headers = {"Authorization": f"Key {ADMIN_KEY}"}
    asgi: Any = app
    transport = httpx.ASGITransport(asgi)
    took_ms = []
    async with httpx.AsyncClient(
        transport=transport, base_url="http://falgate/admin/v1", headers=headers
    ) as client:
        for _ in range(RUNS):
            began_s = await worked_s(redis)
            answer = await client.get(path, params=query)
            took_ms.append((await worked_s(redis) - began_s) * 1000)
            answer.raise_for_status()
    asked = f"{path}?{'&'.join(f'{name}={value}' for name, value in query.items())}".rstrip("?")
    size = len(answer.content)
    print(f"{asked:76s} first {took_ms[0]:6.1f}, then {min(took_ms[1:]):6.1f}, {size:7,d} bytes")


async def worked_s(redis: Redis) -> float:
    """How long this process and Redis have worked so far."""
    found: Any = await redis.info("cpu")
    return time.process_time() + float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


async def furnish(redis: Redis, keys: int) -> None:
    """Add what the ledger alone has not: teams, apps, keys, budgets, jobs, the audit log, parts."""
    registry = Registry(redis)
    for team in range(TEAMS):
        await registry.put_team(f"team-{team:02d}", None, Team(), "bench")
        for app in range(APPS):
            await registry.put_app(f"team-{team:02d}/app-{app}", None, App(), "bench")
    for some in _batches(range(keys)):
        pipeline = redis.pipeline(transaction=False)
        for number in some:
            _key(pipeline, number)
        await pipeline.execute()
    await redis.zadd(keyspace.limited(UPSTREAM), {"": 0})
    for some in _batches(range(LINES)):
        pipeline = redis.pipeline(transaction=False)
        for number in some:
            line: dict[Any, Any] = {"who": "admin", "action": "team", "subject": f"team-{number}",
                                    "before": "", "after": '{"weight":1}', "why": ""}  # fmt: skip
            pipeline.xadd(keyspace.AUDIT, line)
        await pipeline.execute()
    pipeline = redis.pipeline(transaction=False)
    for number in range(JOBS):
        _job(pipeline, number)
    await pipeline.execute()
    await _parts(redis)


def _key(pipeline: Any, number: int) -> None:
    team, app = f"team-{number % TEAMS:02d}", f"app-{number // TEAMS % APPS}"
    record = KeyRecord(
        id=f"k{number:010}", kind="live", digest="d" * 64, team=team, app=app, name="",
        created_s=1_700_000_000 + number,
    )  # fmt: skip
    pipeline.hset(keyspace.apikey(record.id), "record", msgspec.json.encode(record))
    for of in ("", team, f"{team}/{app}"):
        pipeline.zadd(keyspace.key_order(of), {record.place: 0})
    charged = Account("key", record.id)
    pipeline.sadd(keyspace.accounts(UPSTREAM), charged.name)
    pipeline.zadd(keyspace.limited(UPSTREAM), {charged.name: 0})
    pipeline.hset(keyspace.account(UPSTREAM, charged), "budget:day", '{"limit":5000000}')


def _job(pipeline: Any, number: int) -> None:
    order = Order(
        id=f"job{number}", upstream=UPSTREAM, endpoint="fal-ai/gpt-image-1.5", fingerprint="f",
        generation=0, team=f"team-{number % TEAMS:02d}", app="app-0", key="k", asked=1, reused=0,
        number=1, held=36_000, listed=34_000, price_version="1", input={}, recorded={},
    )  # fmt: skip
    fields: dict[Any, Any] = {"order": msgspec.json.encode(order), "state": "accepted"}
    pipeline.hset(keyspace.job(order.id), mapping=fields | {"began_ms": number + 1})
    pipeline.zadd(keyspace.open_jobs(UPSTREAM), {order.id: LEASED_UNTIL_MS})


async def _parts(redis: Redis) -> None:
    """Give each day of usage a full breakdown, and each of its hours their counts."""
    async for key in redis.scan_iter(usage_keys.usage(UPSTREAM, "*"), count=1_000):
        day = str(key)[-10:]
        names = [f"team-{team:02d}/app-{app}" for team in range(TEAMS) for app in range(APPS)]
        parts = [
            f"{name}/key{number}|fal-ai/gpt-image-1.5|medium|paid:{measure}"
            for name in names
            for number in range(10)
            for measure in ("billed", "bought", "purchases", "list", "saved")
        ]
        for some in _batches(parts):
            await redis.hset(usage_keys.breakdown(UPSTREAM, day), mapping=dict.fromkeys(some, 1))
        hours = [
            f"{hour:02}{whose}:{measure}"
            for hour in range(24)
            for whose in ("", *(f"/{name}" for name in names))
            for measure in MEASURES
        ]
        for some in _batches(hours):
            await redis.hset(usage_keys.hits(UPSTREAM, day), mapping=dict.fromkeys(some, 1))
        await UsageSums(redis).add_up(UPSTREAM, day, again=True)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, PIPELINE)):
        yield some


if __name__ == "__main__":
    main()
