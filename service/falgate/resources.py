"""What all of a gateway shares: Redis, the ledger, pictures, upstreams, and whom it trusts."""

import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress

import msgspec
import structlog
from redis.asyncio import Redis

from falgate.accounts.store.registry import Registry
from falgate.core.errors import Unavailable
from falgate.first_start import (
    ledger_id,
    open_pictures,
    open_redis,
    running,
    set_directory,
    set_limits,
)
from falgate.http.cors import Cors, cors_of
from falgate.http.forwarded import TrustedProxies
from falgate.jobs.store.jobs import Jobs
from falgate.jobs.store.requests import Requests
from falgate.models.spec import ModelSpec
from falgate.money.store.budgets import Budgets
from falgate.money.store.instance import Instance
from falgate.money.store.ledger import Ledger
from falgate.money.store.stops import Stops
from falgate.money.store.trust import Trust
from falgate.money.store.usage import Usage
from falgate.money.store.usage_sums import UsageSums
from falgate.pictures.storage import PictureStore
from falgate.redis.client import Durability, inspect
from falgate.redis.clock import Clock, now_ms
from falgate.redis.rights import check_rights
from falgate.served_models import served_models
from falgate.settings import Settings, names
from falgate.telemetry.troubles import Troubles
from falgate.tracked import Tracked, track
from falgate.upstreams import Upstreams, open_upstreams
from falgate.webhooks.delivery import Signer
from falgate.webhooks.store.secrets import secret, webhook_signer

_LOG = structlog.get_logger()


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway needs; all of it is open and has been checked.

    `tracked` is None if the fast path is switched off.
    """

    settings: Settings
    models: Mapping[str, ModelSpec]
    owner: str
    redis: Redis
    store: PictureStore
    ledger: Ledger
    trust: Trust
    clock: Clock
    budgets: Budgets
    stops: Stops
    registry: Registry
    tracked: Tracked | None
    jobs: Jobs
    requests: Requests
    usage: Usage
    secret: bytes
    link_secret: bytes
    console_secret: bytes
    signer: Signer
    upstreams: Upstreams
    cors: Cors | None
    proxies: TrustedProxies


async def open_resources(
    stack: AsyncExitStack, settings: Settings, troubles: Troubles
) -> Resources:
    """Open all resources, until the stack is left.

    Raises:
        EmbeddedFailed, RedisUnfit, LedgerStrange, SettingsWrong, ProxyWrong, AuthoritiesWrong,
            OSError: One cannot be opened; each says why in one line.
    """
    models = served_models(settings)
    store = open_pictures(settings, troubles.noter("store"))
    redis = await stack.enter_async_context(open_redis(settings))
    ledger = Ledger(redis)
    budgets = Budgets(redis, settings.calendar)
    owner = uuid.uuid4().hex
    found, durability = await _found(redis, ledger, settings)
    clock = Clock()
    clock.note(await now_ms(redis))
    trust = Trust(redis, found, weak=durability.weak, clock=clock)
    registry = Registry(redis, found, clock)
    hook_secret = await secret(redis, "hook_secret")
    upstreams = open_upstreams(settings, models, hook_secret, troubles)
    stack.push_async_callback(upstreams.close)
    await set_limits(budgets, ledger, settings, upstreams.live)
    await set_directory(redis, registry)
    await ledger.note_upstreams(upstreams.live, upstreams.names.values())
    usage = Usage(redis, settings.calendar)
    await _add_up(redis, ledger, usage)
    await stack.enter_async_context(running(trust.watch))
    with suppress(Unavailable):
        # Trust is usually established at once. If not, requests without purchases are served.
        await trust.regain()
    return Resources(
        settings=settings,
        models=models,
        owner=owner,
        redis=redis,
        store=store,
        ledger=ledger,
        trust=trust,
        clock=clock,
        budgets=budgets,
        stops=Stops(redis),
        registry=registry,
        tracked=await _tracked(stack, settings, redis, registry, clock),
        jobs=Jobs(
            redis,
            _instance(settings, found, owner, durability=durability, trust=trust, clock=clock),
        ),
        requests=Requests(redis, lease_ms=settings.lease_s * 1000, kept_s=settings.results_kept_s),
        usage=usage,
        secret=hook_secret,
        link_secret=await secret(redis, "link_secret"),
        console_secret=await secret(redis, "console_secret"),
        signer=await webhook_signer(redis),
        upstreams=upstreams,
        cors=cors_of(names(settings.cors_origins)),
        proxies=TrustedProxies(names(settings.trusted_proxies)),
    )


def _instance(
    settings: Settings,
    ledger: str,
    owner: str,
    *,
    durability: Durability,
    trust: Trust,
    clock: Clock,
) -> Instance:
    return Instance(
        ledger_id=ledger,
        owner=owner,
        calendar=settings.calendar,
        slots_max=settings.upstream_concurrency,
        lease_ms=settings.lease_s * 1000,
        durability=durability,
        regain=trust.regain,
        wrote=trust.wrote,
        clock=clock,
    )


async def _tracked(
    stack: AsyncExitStack, settings: Settings, redis: Redis, registry: Registry, clock: Clock
) -> Tracked | None:
    if not settings.fast_path:
        return None
    tracked = track(redis, registry, clock)
    await stack.enter_async_context(running(tracked.tracking.run))
    return tracked


async def _found(redis: Redis, ledger: Ledger, settings: Settings) -> tuple[str, Durability]:
    """Check that this Redis is durable and has the right ledger; return the ledger's id."""
    durability = await inspect(
        redis, replicas=settings.redis_replicas, allow_weak=settings.allow_weak_durability
    )
    await check_rights(redis)
    return await ledger_id(ledger, settings), durability


async def _add_up(redis: Redis, ledger: Ledger, usage: Usage) -> None:
    """Add up the days that a version without sums counted: once, up to tenths of a second a day."""
    for upstream in await ledger.upstreams():
        if days := await UsageSums(redis).complete(upstream, await usage.today()):
            _LOG.info("usage.added_up", upstream=upstream, days=days)
