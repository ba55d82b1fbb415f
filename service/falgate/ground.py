"""The ground that a gateway stands on: Redis, the ledger, the picture store, and who sells."""

import uuid
from contextlib import AsyncExitStack

import msgspec
from redis.asyncio import Redis

from falgate.core.webhook import Signer
from falgate.opening import ledger_id, open_pictures, open_redis, set_directory, set_limits
from falgate.pictures.store import PictureStore
from falgate.selling import Sellers, open_sellers
from falgate.settings import Settings
from falgate.store.budgets import Budgets
from falgate.store.connect import inspect
from falgate.store.hooks import hook_secret, link_secret, webhook_signer
from falgate.store.jobs import Jobs
from falgate.store.ledger import Ledger
from falgate.store.registry import Registry
from falgate.store.requests import Requests
from falgate.store.usage import Usage
from falgate.telemetry.troubles import Troubles


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway stands on, all of it there and fit."""

    settings: Settings
    owner: str
    redis: Redis
    store: PictureStore
    ledger: Ledger
    budgets: Budgets
    registry: Registry
    jobs: Jobs
    requests: Requests
    usage: Usage
    secret: bytes
    link_secret: bytes
    signer: Signer
    sellers: Sellers


async def open_ground(stack: AsyncExitStack, settings: Settings, troubles: Troubles) -> Ground:
    """Open all of it, until the stack is left.

    Raises:
        EmbeddedFailed, RedisUnfit, LedgerStrange, SettingsWrong, ProxyWrong, OSError: Each in one
                clear line.
    """
    store = open_pictures(settings, troubles.noter("store"))
    redis = await stack.enter_async_context(open_redis(settings))
    ledger, registry = Ledger(redis), Registry(redis)
    budgets = Budgets(redis, settings.calendar)
    owner = uuid.uuid4().hex
    jobs = await _jobs(redis, ledger, settings, owner)
    secret = await hook_secret(redis)
    sellers = open_sellers(settings, secret, troubles)
    stack.push_async_callback(sellers.close)
    await set_limits(budgets, ledger, settings, sellers.live)
    await set_directory(registry)
    await ledger.note_live(sellers.live)
    return Ground(
        settings=settings,
        owner=owner,
        redis=redis,
        store=store,
        ledger=ledger,
        budgets=budgets,
        registry=registry,
        jobs=jobs,
        requests=Requests(redis, lease_ms=settings.lease_s * 1000, kept_s=settings.results_kept_s),
        usage=Usage(redis, settings.calendar),
        secret=secret,
        link_secret=await link_secret(redis),
        signer=await webhook_signer(redis),
        sellers=sellers,
    )


async def _jobs(redis: Redis, ledger: Ledger, settings: Settings, owner: str) -> Jobs:
    """The jobs, once it is known that this Redis can be trusted with them, and is the right one."""
    durability = await inspect(
        redis, replicas=settings.redis_replicas, allow_weak=settings.allow_weak_durability
    )
    return Jobs(
        redis,
        ledger_id=await ledger_id(ledger, settings),
        owner=owner,
        calendar=settings.calendar,
        slots_max=settings.upstream_concurrency,
        lease_ms=settings.lease_s * 1000,
        durability=durability,
    )
