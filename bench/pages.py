"""The benchmark of the console: what each of its pages takes on a large organisation.

`make bench-books` runs it. A gateway of its own stands on what `bench.ledger` and `bench.figures`
fill: a million entries of the ledger, 100,000 keys with a budget each, 100,000 lines of the audit
log; and on 100,000 logged requests, 50,000 pictures with prompts, 2,000 further apps, and a team
that has half of the keys. Pages are asked for over HTTP by an admin and by the lead of that team,
and the gallery is searched. Times are of the CPU, of the gateway and of its Redis, which other
processes hardly change: the first, and the quickest of more.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from redis.asyncio import Redis

from bench.figures import ADMIN_KEY, KEYS, PIPELINE, furnish
from bench.gallery import COMMON, PICTURES, RARE, hang
from bench.gateway import Gateway, gateway, ledger
from bench.ledger import APPS, FILL_S, TEAMS, UPSTREAM, fill
from bench.processes import stay
from falgate.accounts.directory import FIRST, App, Team
from falgate.accounts.store.registry import Registry
from falgate.core.account import Account
from falgate.money.store.ledger import Ledger
from falgate.redis import keyspace
from falgate.redis.client import connect
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.store.request_logs import RequestLogs

RUNS = 4
LOGGED, MORE_TEAMS = 100_000, 500
LARGE = "team-00"
"""The team that the lead leads."""
BUDGET_MS, BUDGET_BYTES = 50, 100_000
_MOUNT = "/console"


class Days(NamedTuple):
    """The first and the last day of the ledger, as ISO 8601."""

    first: str
    last: str


class Reader(NamedTuple):
    """Somebody who reads pages, with what the gateway and Redis have worked so far."""

    name: str
    client: httpx.Client
    worked_us: Callable[[], float]


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=KEYS)
    given = parser.parse_args()
    stay()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fg-")))
        redis = stack.enter_context(ledger(folder))
        days = asyncio.run(filled(redis.url, given.entries, given.keys))
        served = stack.enter_context(gateway(folder, redis.url, FALGATE_ADMIN_KEY=ADMIN_KEY))
        print(f"{given.entries:,} entries, {given.keys:,} keys; milliseconds of CPU:")

        def worked_us() -> float:
            return served.process.cpu_us() + redis.tree.cpu_us()

        served.process.until_idle()  # It sweeps the counters of all accounts after a start.
        for reader in readers(stack, served, worked_us):
            for path in pages(days):
                report(reader, path)
            for path in within(reader):
                report(reader, path)
            for wanted in searches():
                report(reader, "/gallery", wanted)


def readers(stack: ExitStack, served: Gateway, worked_us: Callable[[], float]) -> Iterator[Reader]:
    """An admin, and the lead of the large team, both signed in."""
    headers = {"Authorization": f"Key {ADMIN_KEY}"}
    body = {"role": "lead", "name": f"lead-{os.getpid()}", "team": LARGE}
    made = httpx.post(f"{served.http}/admin/v1/operators", json=body, headers=headers, timeout=60)
    lead_key = made.raise_for_status().json()["key"]
    for name, key in (("admin", ADMIN_KEY), ("lead", lead_key)):
        client = stack.enter_context(httpx.Client(base_url=served.http, timeout=60))
        answer = client.post(f"{_MOUNT}/sign-in", data={"key": key, "next": f"{_MOUNT}/keys"})
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        yield Reader(name, client, worked_us)


def pages(days: Days) -> Iterator[str]:
    """Every page that is measured, with a query that makes it work hard."""
    yield from ("/", "/?by=day", "/?by=month", "/overview/live")
    yield from ("/requests", "/requests?key=none", "/requests?team=team-07&reason=budget")
    yield from ("/ledger", "/ledger?key=none", "/ledger?model=none&reconciled=no")
    yield f"/ledger?team=team-07&from={days.first}&to={days.first}"
    yield from ("/ledger?pictures=none", "/ledger?kind=raise", "/ledger?job=none")
    yield from ("/teams", "/teams/new", f"/teams/{LARGE}", f"/teams/{LARGE}/edit")
    yield from (f"/teams/{LARGE}/apps/app-0", f"/teams/{LARGE}/apps/new")
    yield from ("/keys", f"/keys?of={LARGE}", "/keys/new", "/keys/k0000000000")
    yield "/keys/k0000000000/edit"
    yield from ("/budgets", "/budgets?cursor=key:k0000050000 0", "/budgets/new", "/setup")
    yield "/budgets/key:k0000000000/day"
    yield from ("/models", "/models/fal-ai:gpt-image-1.5", "/models/fal-ai:gpt-image-1.5/edit")
    yield from ("/gallery", f"/gallery?team={LARGE}", f"/gallery?app={LARGE}/app-1")
    yield from ("/playground", "/playground?model=fal-ai/gpt-image-1.5")
    yield from ("/stops", "/stops/new", "/deliveries", "/operators", "/audit", "/config")


def within(reader: Reader) -> Iterator[str]:
    """Pages of one request, one entry and one picture, as the lists name them."""
    for of in ("requests", "ledger", "gallery"):
        path = f"/{of}"
        found = reader.client.get(f"{_MOUNT}{path}").text
        _, _, rest = found.partition(f'href="{_MOUNT}/{of}/')
        if rest:
            yield f"{path}/{rest.partition(chr(34))[0]}"


def searches() -> Iterator[Mapping[str, str]]:
    """What the gallery is searched for: what all, few and no prompts have, with further fields."""
    yield from ({"words": COMMON}, {"words": RARE}, {"words": "none"})
    yield {"words": f"{COMMON} {RARE}"}
    yield {"words": COMMON, "app": f"{LARGE}/app-1", "quality": "high"}
    yield {"quality": "high", "size": "1536x1024"}
    yield {"pinned": "on"}


def report(reader: Reader, path: str, form: Mapping[str, str] | None = None) -> None:
    """Ask for a page some times, or send a form to it, and print what that took."""
    took_ms = []
    csrf = _csrf(reader) if form else ""
    for _ in range(RUNS):
        before_us = reader.worked_us()
        if form:
            answer = reader.client.post(
                f"{_MOUNT}{path}", data={**form, "csrf": csrf, "step": "look"}
            )
        else:
            answer = reader.client.get(f"{_MOUNT}{path}")
        took_ms.append((reader.worked_us() - before_us) / 1000)
    best, size = min(took_ms[1:]), len(answer.content)
    over = " !" if max(best, took_ms[0]) > BUDGET_MS or size > BUDGET_BYTES else ""
    if form:
        path += f" {' '.join(form.values())}"
    told = "" if answer.is_success else f", status {answer.status_code}"
    print(
        f"{reader.name:6s}{path:46s} first {took_ms[0]:6.1f}, then {best:6.1f}, "
        f"{size:7,d} bytes{told}{over}",
        flush=True,
    )


def _csrf(reader: Reader) -> str:
    _, _, rest = reader.client.get(f"{_MOUNT}/gallery").text.partition('name="csrf" value="')
    return rest.partition('"')[0]


async def filled(url: str, entries: int, keys: int) -> Days:
    """Fill Redis; the days of its ledger."""
    redis = connect(url, FILL_S)
    days = await fill(url, entries)
    await furnish(redis, keys)
    await _more_apps(redis)
    await _of_one_team(redis, keys)
    await _requests(redis)
    await hang(redis, PICTURES)
    # What an instance does by itself at a start is not what is measured: it would verify all.
    books = Ledger(redis)
    standing = await books.standing()
    await books.trust(standing.history, standing.trusted)
    await redis.set(keyspace.verifier(UPSTREAM), "bench", ex=86_400)
    await redis.aclose()
    return Days(*days)


async def _more_apps(redis: Redis) -> None:
    registry = Registry(redis)
    # The first key of a gateway is one of an app with these names.
    for name in (FIRST, *(f"unit-{team:04d}" for team in range(MORE_TEAMS))):
        await registry.put_team(name, None, Team(), "bench")
        for app in (FIRST, *(f"app-{each}" for each in range(1, APPS))):
            await registry.put_app(f"{name}/{app}", None, App(), "bench")


async def _of_one_team(redis: Redis, keys: int) -> None:
    """Give the large team half of the keys, in the lists that tell whose they are."""
    registry = Registry(redis)
    every = await registry.keys(number=keys // 2)
    for start in range(0, len(every), PIPELINE):
        pipeline = redis.pipeline(transaction=False)
        for record in every[start : start + PIPELINE]:
            pipeline.zadd(keyspace.key_order(LARGE), {record.place: 0})
        await pipeline.execute()


async def _requests(redis: Redis) -> None:
    seconds, _ = await redis.time()
    now_ms, logs = int(seconds) * 1000, RequestLogs(redis)
    for start in range(0, LOGGED, PIPELINE):
        numbers = range(start, min(LOGGED, start + PIPELINE))
        await logs.add([_logged(number, now_ms) for number in numbers])


def _logged(number: int, now_ms: int) -> LoggedRequest:
    outcome: Any = ("hit", "miss", "refused")[number % 3]
    refused = outcome == "refused"
    return LoggedRequest(
        id=f"{number:032x}", at_ms=now_ms, outcome=outcome, route="run",
        status=402 if refused else 200, team=f"team-{number % TEAMS:02d}",
        app=f"app-{number // TEAMS % APPS}", key=f"k{number:010}",
        model="fal-ai/gpt-image-1.5", upstream=UPSTREAM, pictures=0 if refused else 1,
        took_ms=12.5, fingerprint="f" * 64, reason="budget" if refused else "",
        about={"account": Account("key", f"k{number:010}").name} if refused else {},
    )  # fmt: skip


if __name__ == "__main__":
    main()
