"""The admin API put together: for a gateway, and on a Redis alone for the operator's commands."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from litestar import Litestar
from redis.asyncio import Redis

from falgate.accounts.store.audit import AuditLog
from falgate.accounts.store.registry import Registry
from falgate.admin.api.routes import AdminParts, PictureParts, admin_routes
from falgate.admin.api.services import AdminServices
from falgate.admin.api.status import Probes
from falgate.billing.store.ledger_health import LedgerHealths
from falgate.billing.store.model_drifts import ModelDrifts
from falgate.cache.store.places import Places
from falgate.cache.store.pools import Pools
from falgate.core.errors import Refusal
from falgate.first_start import known_upstreams, open_pictures
from falgate.http.errors import HANDLERS
from falgate.jobs.store.under_way import UnderWay
from falgate.money.figures import Figures
from falgate.money.reports import Reports
from falgate.money.store.budgets import Budgets
from falgate.money.store.entries import Entries
from falgate.money.store.ledger import Ledger
from falgate.money.store.stops import Stops
from falgate.money.store.usage import Usage
from falgate.money.store.usage_sums import UsageSums
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.convert import Converter
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.gallery import Gallery
from falgate.pictures.intake import PictureIntake
from falgate.pictures.store.catalogue import Catalogue
from falgate.pictures.store.gallery import PoolIndex
from falgate.redis.client import address
from falgate.requests.quote import Quotes
from falgate.served_models import ModelsWhenNeeded
from falgate.settings import Settings
from falgate.telemetry.request_log import RequestLog
from falgate.telemetry.request_story import Requests
from falgate.telemetry.store.request_logs import RequestLogs
from falgate.telemetry.store.request_records import RequestRecords
from falgate.webhooks.admin import WebhookAdmin
from falgate.webhooks.store.deliveries import Deliveries


def admin_parts(
    services: AdminServices, redis: Redis, pictures: PictureParts | None = None
) -> AdminParts:
    """What the routes need, given who answers for records and budgets, and for pictures."""
    rollups, sums = Usage(redis, services.calendar), UsageSums(redis)
    return AdminParts(
        services=services,
        reports=Reports(rollups, sums, Entries(redis), services.calendar),
        figures=Figures(rollups, sums),
        under_way=UnderWay(redis),
        ledger_healths=LedgerHealths(redis),
        deliveries=WebhookAdmin(Deliveries(redis)),
        requests=Requests(RequestLog(RequestLogs(redis)), RequestRecords(redis)),
        pictures=pictures,
    )


def probes_of(
    settings: Settings, redis: Redis, troubles: Callable[[], Awaitable[Mapping[str, str]]]
) -> Probes:
    """How `falgate status` sees what runs with these settings."""

    async def frozen() -> str:
        found = (await Ledger(redis).standing()).frozen
        return found.why if found else ""

    data = Path(settings.data_dir).absolute()
    media = urlsplit(settings.media_url or (data / "media").as_uri())
    return Probes(
        redis=address(redis) if settings.redis_url else f"embedded, in {data / 'redis'}",
        # Neither a password nor a signature is shown.
        store=urlunsplit((media.scheme, media.netloc.rpartition("@")[2], media.path, "", "")),
        troubles=troubles,
        stored=Catalogue(redis).total,
        frozen=frozen,
        drifts=ModelDrifts(redis).all,
    )


async def open_admin_app(
    settings: Settings, redis: Redis, *, admin_key: str, pictures: bool
) -> Callable[[str, str], Litestar]:
    """The admin routes on a Redis, by resource and method: no gateway, and nothing of fal.

    A command asks one or two of them. Putting all routes together would take most of its time.

    Args:
        settings: Those of the gateways of this Redis, with the ledger's calendar.
        redis: Where their records are.
        admin_key: What opens the routes.
        pictures: Whether the routes about pictures are there, which open the picture store.

    Raises:
        SettingsWrong: The picture store cannot be opened.
        Unavailable: Redis does not answer.
    """
    services = AdminServices(
        records=Registry(redis),
        budget_store=Budgets(redis, settings.calendar),
        stop_store=Stops(redis),
        calendar=settings.calendar,
        upstreams=await known_upstreams(redis),
        models=ModelsWhenNeeded(settings),
        admin_key=admin_key,
        slots_max=settings.upstream_concurrency,
    )
    about_pictures = _about_pictures(settings, redis) if pictures else None
    parts = admin_parts(services, redis, about_pictures)

    @cache
    def app_of(resource: str, method: str) -> Litestar:
        return Litestar(
            route_handlers=admin_routes(parts, resource, method),
            exception_handlers=HANDLERS,
            openapi_config=None,
            request_max_body_size=None,
            logging_config=None,
        )

    return app_of


def _about_pictures(settings: Settings, redis: Redis) -> PictureParts:
    catalogue, pools = Catalogue(redis), Pools(redis)
    store = open_pictures(settings)
    files = PictureIntake(store, Converter(settings.derived_quality))
    deleter = PictureDeleter(catalogue, pools, files)

    async def troubles() -> Mapping[str, str]:
        try:
            await store.reach()
        except Refusal as refusal:
            return {"store": str(refusal)}
        return {}

    return PictureParts(
        cache_admin=CacheAdmin(
            catalogue, pools, deleter, AuditLog(redis), kept_s=settings.cache_ttl_s
        ),
        gallery=Gallery(catalogue, pools, PoolIndex(redis)),
        quotes=Quotes(pools, Budgets(redis, settings.calendar), Stops(redis), Places(redis)),
        probes=probes_of(settings, redis, troubles),
    )
