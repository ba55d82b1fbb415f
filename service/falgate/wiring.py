"""The composition root: settings in, a running gateway out. It alone knows the concrete classes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import msgspec
from litestar.types import ASGIApp
from redis.asyncio import Redis

from falgate import settings as setting
from falgate.api.address import LOCAL, Address
from falgate.api.app import create_app
from falgate.core.apikey import Kind
from falgate.core.budget import ORGANISATION, Position
from falgate.core.errors import Refusal
from falgate.core.money import Micros
from falgate.flow.answer import Answers
from falgate.flow.flights import Flights
from falgate.flow.ports import Ports
from falgate.flow.purchase import Purchases
from falgate.flow.reaper import Reaper
from falgate.models import MODELS
from falgate.opening import TEST, ledger_id, open_pictures, open_redis, running, set_limits
from falgate.pictures.bank import Bank
from falgate.pictures.store import PictureStore
from falgate.sandbox.app import create_sandbox
from falgate.settings import FAL_QUEUE, Settings
from falgate.store import wakes
from falgate.store.apikeys import ApiKeys
from falgate.store.connect import inspect
from falgate.store.jobs import Jobs
from falgate.store.ledger import Ledger
from falgate.store.pools import Pools
from falgate.store.sweep import sweep
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.metrics import Metrics, Standing
from falgate.upstream.client import FAL_MEDIA, FalQueue

_SHORT_S = 2.0
_LOOK_S = 2.0
_LOOK_S_MAX = 5.0


class Gateway(msgspec.Struct, frozen=True):
    """A running gateway.

    Attributes:
        app: What to serve.
        flights: To be closed when waiting callers have to be let go.
        ledger: Its money.
        apikeys: Its keys.
        live: The name of the upstream that live keys buy from.
    """

    app: ASGIApp
    flights: Flights
    ledger: Ledger
    apikeys: ApiKeys
    live: str

    async def budget(self) -> tuple[Position, Micros]:
        """The organisation's budget for today, and the house limit."""
        today, _ = await self.ledger.positions(self.live, ORGANISATION)
        return today, (await self.ledger.house(self.live))[0]


class Vitals:
    """What a running gateway says of itself."""

    def __init__(
        self, ledger: Ledger, store: PictureStore, metrics: Metrics, upstreams: tuple[str, ...]
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._metrics = metrics
        self._upstreams = upstreams

    async def troubles(self) -> dict[str, str]:
        """What is not there, and why."""
        looks = {"redis": self._ledger.open_jobs(self._upstreams[0]), "store": self._store.check()}
        words = await asyncio.gather(*map(_trouble, looks.values()))
        return {name: trouble for name, trouble in zip(looks, words, strict=True) if trouble}

    async def metrics(self) -> bytes:
        """Prometheus's text format; without Redis, what this process counted by itself."""
        standings = []
        with suppress(Refusal):
            for upstream in self._upstreams:
                standing = Standing(
                    upstream=upstream,
                    positions=await self._ledger.positions(upstream, ORGANISATION),
                    house=await self._ledger.house(upstream),
                    open_jobs=await self._ledger.open_jobs(upstream),
                )
                standings.append(standing)
        return self._metrics.render(standings)


async def _trouble(look: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(_LOOK_S):
            await look
    except Refusal as refusal:
        return str(refusal)
    except TimeoutError:
        return f"no answer within {_LOOK_S:g} s"
    return ""


@asynccontextmanager
async def open_gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """Everything, ready to be served; on leaving, jobs under way are handed over.

    Raises:
        EmbeddedFailed, RedisUnfit, LedgerStrange, SettingsWrong, OSError: Each in one clear line.
    """
    async with AsyncExitStack() as stack:
        store = open_pictures(settings)
        redis = await stack.enter_async_context(open_redis(settings))
        ledger = Ledger(redis, zone=settings.zone)
        jobs = await _jobs(redis, ledger, settings)
        sellers = _sellers(settings)
        for seller in sellers.values():
            stack.push_async_callback(seller.close)
        await set_limits(ledger, settings, sellers["live"].name)
        metrics = Metrics()
        telemetry = Telemetry(metrics)
        apikeys = ApiKeys(redis)
        ports = Ports(
            models=MODELS,
            keys=apikeys,
            pools=Pools(redis, ttl_s=settings.cache_ttl_s),
            jobs=jobs,
            pictures=Bank(store),
            sellers=sellers,
            facts=telemetry,
        )
        flights = Flights(jobs)
        purchases = Purchases(ports, flights.wake, lease_s=settings.lease_s)
        reaper = Reaper(
            ports,
            purchases,
            lambda upstream, now_ms: sweep(redis, upstream, now_ms),
            every_s=min(_LOOK_S_MAX, settings.lease_s / 3),
            unknown_after_s=settings.unknown_after_s,
        )
        answers = Answers(
            ports, purchases, flights, zone=settings.zone, wait_s=settings.run_timeout_s
        )
        upstreams = tuple(seller.name for seller in sellers.values())
        app = create_app(
            ports,
            answers,
            pictures=store,
            vitals=Vitals(ledger, store, metrics, upstreams),
            address=_address(settings),
            requested=telemetry.requested,
            body_bytes_max=settings.body_bytes_max,
            body_timeout_s=settings.body_timeout_s,
        )
        # Left in the opposite order: first nothing new is adopted, then jobs are handed over.
        stack.push_async_callback(purchases.close, _SHORT_S)
        await stack.enter_async_context(running(lambda: wakes.listen(redis, flights.wake)))
        await stack.enter_async_context(running(reaper.run))
        yield Gateway(app, flights, ledger, apikeys, sellers["live"].name)


async def _jobs(redis: Redis, ledger: Ledger, settings: Settings) -> Jobs:
    """The jobs, once it is known that this Redis can be trusted with them, and is the right one."""
    durability = await inspect(
        redis, replicas=settings.redis_replicas, allow_weak=settings.allow_weak_durability
    )
    return Jobs(
        redis,
        ledger_id=await ledger_id(ledger, settings),
        owner=uuid.uuid4().hex,
        zone=settings.zone,
        lease_ms=settings.lease_s * 1000,
        durability=durability,
    )


def _sellers(settings: Settings) -> dict[Kind, FalQueue]:
    # Without state of its own on disk, an instance keeps the sandbox's books in memory.
    stateless = settings.redis_url and settings.media_url
    directory = None if stateless else Path(settings.data_dir) / "sandbox"
    sandbox = create_sandbox(MODELS, directory=directory)

    def in_process(name: str) -> FalQueue:
        transport = httpx.ASGITransport(sandbox)  # type: ignore[arg-type]  # two spellings of ASGI
        return FalQueue(name, "http://queue.sandbox", key="falgate:sandbox", transport=transport)

    if settings.uses_sandbox:
        return {"live": in_process(setting.SANDBOX), "test": in_process(TEST)}
    url = settings.upstream_url.rstrip("/").lower()
    live = FalQueue(
        "fal" if url == FAL_QUEUE else url,
        settings.upstream_url,
        key=settings.fal_key,
        media_domains=(
            *(FAL_MEDIA if url == FAL_QUEUE else ()),
            *setting.names(settings.upstream_media_hosts),
        ),
        start_timeout_s=settings.upstream_start_timeout_s,
    )
    return {"live": live, "test": in_process(TEST)}


def _address(settings: Settings) -> Address:
    listen = setting.address(settings.listen, "LISTEN")
    return Address(
        public_url=settings.public_url,
        hosts=LOCAL | {listen.host} | set(setting.names(settings.allowed_hosts)),
        fallback_url=f"http://{listen.reachable}",
    )
