"""One organisation's gateways, and the audit of every cent that went through them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from auditing import Audit, assert_apart
from booked import booked
from patience import PATIENCE_S, TRIP_S

from falgate.accounts.store.registry import Registry
from falgate.admin.service import AdminService
from falgate.core.account import ORGANISATION
from falgate.core.calendar import Calendar
from falgate.core.errors import Unavailable
from falgate.models.endpoints import MODELS
from falgate.money.store.budgets import Budgets
from falgate.money.store.ledger import Ledger
from falgate.money.store.stops import Stops
from falgate.money.store.verify import verify
from falgate.redis import keyspace
from falgate.redis.client import connect
from falgate.redis.embedded import EmbeddedRedis

MODEL = "fal-ai/gpt-image-1.5"
PROMPT, FAL_SECRET = "canary-wish", "canary-credential"  # never in a log, nor in the ledger
# Where it is about noon: no test meets midnight.
ZONE = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


class Site:
    """One organisation: its Redis, its picture store, and the gateways that share them.

    Attributes:
        sandbox: Who plays fal.
        settings: Of each gateway that is started from now on.
        data: The gateways' data directory.
        media: Where the pictures are.
        redis: A client beside the gateways'.
        apart: Whether no two purchases of one input may be under way at a time.
    """

    apart = True

    def __init__(self, folder: Path, sandbox: Any, launch: Callable[..., Any], url: str) -> None:
        self.sandbox = sandbox
        self.data = folder / "data"
        self.media = folder / "media" if url else self.data / "media"
        self.redis = connect(url or EmbeddedRedis(self.data / "redis").url, timeout_s=TRIP_S)
        self.settings = {
            "data_dir": str(self.data),
            "redis_url": url,
            "redis_timeout_s": str(TRIP_S),
            "media_url": self.media.as_uri(),
            "upstream_url": f"{sandbox.url}/queue",
            "fal_key": f"id:{FAL_SECRET}",
            "timezone": ZONE,
            "lease_s": "1",
            "unknown_after_s": "600",  # no stall of a machine; a test about it says how short
            **dict.fromkeys(("drain_s", "drain_accept_s"), "0"),
        }
        self._folder = folder
        self._launch = launch
        self._gateways, self._keys = list[Any](), dict[str, str]()
        self._ledger = Ledger(self.redis)
        self._budgets = Budgets(self.redis, Calendar(ZoneInfo(ZONE)))
        self._client = httpx.AsyncClient(timeout=PATIENCE_S, limits=httpx.Limits())

    @property
    def upstream(self) -> str:
        """Whose books the purchases of live keys are in."""
        return self.settings["upstream_url"]

    async def start(self, **changes: object) -> Any:
        """One more gateway, once it serves; with its settings where they are not the usual."""
        chosen = self.settings | {name: str(value) for name, value in changes.items()}
        log = self._folder / f"gateway-{len(self._gateways)}.log"
        gateway = self._launch(log, **chosen)
        self._gateways.append(gateway)
        await gateway.serves()
        return gateway

    async def key(self, kind: Any = "live") -> str:
        """An app's key."""
        if kind not in self._keys:
            made = await self.administration().keys.create("default/default", kind=kind)
            self._keys[kind] = made.key
        return self._keys[kind]

    def administration(self) -> AdminService:
        """What an operator may change there."""
        return AdminService(
            Registry(self.redis),
            self._budgets,
            Stops(self.redis),
            who="test",
            upstreams={"live": self.upstream, "test": "test"},
            models=MODELS,
        )

    async def ask(
        self,
        gateway: Any,
        wish: str = "a fox",
        *,
        kind: str = "live",
        key: str = "",
        model: str = MODEL,
        headers: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> httpx.Response:
        """Ask for a cheap picture; with the site's own key of a kind, or another one."""
        body = {"prompt": f"{PROMPT} {wish}", "quality": "low", **arguments}
        headers = {"Authorization": f"Key {key or await self.key(kind)}", **(headers or {})}
        return await self._client.post(f"{gateway.url}/{model}", json=body, headers=headers)

    async def broken(self, call: "asyncio.Task[httpx.Response]") -> None:
        """Wait until a call's connection is cut off."""
        await asyncio.wait([call])
        assert isinstance(call.exception(), httpx.TransportError)

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something; a Redis that is not there says that it is not so yet."""
        end_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                if await true():
                    return
            except Unavailable:
                pass
            assert time.monotonic() < end_s, f"not within {PATIENCE_S:g} s"
            await asyncio.sleep(0.01)

    async def reached(self, *states: str) -> None:
        """Wait until the jobs that there are stand so."""

        async def look() -> bool:
            return await self.states() == sorted(states)

        await self.until(look)

    async def visited(self, name: str, times: int = 1) -> None:
        """Wait until who plays fal was asked so often: a "submit", "status", "result", "media"."""

        async def look() -> bool:
            books = self.sandbox.books()
            visits = {**books["visits"], "submit": len(books["submits"])}
            return int(visits.get(name, 0)) >= times

        await self.until(look)

    async def in_line(self, number: int) -> None:
        """Wait until so many jobs wait for their turn, have it, or had it."""

        async def look() -> bool:
            return len(await self.states()) >= number

        await self.until(look)

    async def lapsed(self) -> None:
        """Wait until the lease of a job has run out."""

        async def look() -> bool:
            seconds, micros = await self.redis.time()
            now_ms = int(seconds) * 1000 + int(micros) // 1000
            return bool(await self.redis.zcount(keyspace.open_jobs(self.upstream), 0, now_ms))

        await self.until(look)

    async def long_ago(self) -> None:
        """Let what is under way have been submitted long ago, and be nobody's any more."""
        opened: Any = await self.redis.zrange(keyspace.open_jobs(self.upstream), 0, -1)
        for job_id in opened:
            await self.redis.hset(keyspace.job(job_id), "submitted_ms", "1")
            await self.redis.zadd(keyspace.open_jobs(self.upstream), {job_id: 1}, xx=True)

    async def states(self) -> list[str]:
        """Where each job stands that there is."""
        keys = [key async for key in self.redis.scan_iter(keyspace.job("*"), count=1000)]
        return sorted([str(await self.redis.hget(key, "state")) for key in keys])

    async def booked(self, upstream: str = "") -> tuple[int, int]:
        """What is spent, and what is held, today and in all; micro-USD."""
        name = upstream or self.upstream
        found = await self._budgets.positions(name, ORGANISATION)
        # A test may go over the full hour, and then that window has only what came since.
        longer = [position for position in found if position.window.kind != "hour"]
        ((spent, held),) = {(position.spent, position.held) for position in longer}
        return spent, held

    async def audit(self) -> Audit:
        """Wait until no job is open, and hold the ledger against the books of who plays fal.

        What was accepted there belongs to one job each, all that was billed is booked, nothing
        stays held, every job is closed once, no two purchases of one input were under way at a
        time, and neither prompts nor secrets are in a log or in the ledger.
        """

        async def idle() -> bool:
            return not await self._ledger.open_jobs(self.upstream)

        await self.until(idle)
        entries = await booked(self.redis, self.upstream)
        moved = [entry for entry in entries if entry["kind"] in {"close", "correction"}]
        closes = [entry for entry in moved if entry["kind"] == "close"]
        ended = await self.redis.zrange(keyspace.ended_jobs(self.upstream), 0, -1)
        assert sorted(e["job"] for e in closes if e["outcome"] != "recovered") == sorted(ended)
        spent = sum(int(entry["billed"]) for entry in moved)
        _, overrun = await self._budgets.overage(self.upstream)
        assert await self.booked() == (spent, 0)
        assert overrun == sum(int(entry["overrun"]) for entry in moved)
        assert (await verify(self.redis, self.upstream)).differences == ()

        books = self.sandbox.books()
        accepted = [submit for submit in books["submits"] if submit["accepted"]]
        known = {submit["request_id"] for submit in accepted}
        bound = [entry["request_id"] for entry in closes if entry["request_id"]]
        assert len(set(bound)) == len(bound)
        assert set(bound) <= known
        lost = [e for e in closes if e["outcome"] == "unknown" and not e["request_id"]]
        assert len(known - set(bound)) <= len(lost), "a submit that no job accounts for"
        assert books["billed_micros"] <= spent + overrun
        if self.apart:
            assert_apart(accepted)
        self._assert_discreet(entries)
        outcomes, billed = Counter(entry["outcome"] for entry in closes), books["billed_micros"]
        return Audit(len(books["submits"]), len(accepted), billed, spent, dict(outcomes))

    def _assert_discreet(self, entries: list[dict[str, str]]) -> None:
        secrets = [PROMPT, FAL_SECRET, *self._keys.values()]
        for text in (*(gateway.said for gateway in self._gateways), str(entries)):
            assert not [secret for secret in secrets if secret in text]
            assert "Traceback" not in text, text

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()
        await self.redis.aclose()


@asynccontextmanager
async def audited(site: Site) -> AsyncIterator[Site]:
    """A site that has to pass the audit when a test is through with it."""
    try:
        yield site
        await site.audit()
    finally:
        await site.close()


@pytest.fixture
async def site(
    folder: Path, sandbox: Any, launch: Callable[..., Any], redis_url: str
) -> AsyncIterator[Site]:
    """A site on a Redis that nobody kills."""
    async with audited(Site(folder, sandbox, launch, redis_url)) as site:
        yield site


@pytest.fixture
async def frail_site(
    folder: Path, sandbox: Any, launch: Callable[..., Any], redis_server: Any
) -> AsyncIterator[Site]:
    """A site on a Redis of its own."""
    async with audited(Site(folder, sandbox, launch, redis_server.url)) as site:
        yield site


@pytest.fixture
async def embedded_site(
    folder: Path, sandbox: Any, launch: Callable[..., Any]
) -> AsyncIterator[Site]:
    """A site with all that it has in one data directory."""
    async with audited(Site(folder, sandbox, launch, "")) as site:
        yield site
