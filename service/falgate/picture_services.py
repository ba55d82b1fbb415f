"""Builds the picture services: intake, URLs, pools, catalogue, deletion and maintenance."""

import msgspec

from falgate import settings as setting
from falgate.accounts.store.audit import AuditLog
from falgate.cache.store.pools import Pools
from falgate.core.events import Facts
from falgate.http.address import LOCAL, Address
from falgate.http.picture_urls import PictureUrls
from falgate.pictures.access import AccessCounter
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.convert import Converter
from falgate.pictures.deletion import PictureDeleter
from falgate.pictures.eviction import Evictor
from falgate.pictures.gallery import Gallery
from falgate.pictures.garbage import GarbageCollector
from falgate.pictures.intake import PictureIntake
from falgate.pictures.maintenance import PictureMaintenance
from falgate.pictures.repair import RepairingSource
from falgate.pictures.store.catalogue import Catalogue
from falgate.pictures.store.gallery import PoolIndex
from falgate.pictures.store.thumbnails import ThumbnailRegister
from falgate.pictures.thumbnails import Thumbnails
from falgate.requests.erasure import PromptEraser
from falgate.requests.store.prompts import Prompts
from falgate.resources import Resources
from falgate.settings import Settings


class PictureServices(msgspec.Struct, frozen=True, kw_only=True):
    """The picture services of a gateway."""

    intake: PictureIntake
    picture_urls: PictureUrls
    address: Address
    pools: Pools
    catalogue: Catalogue
    uses: AccessCounter
    cache_admin: CacheAdmin
    eraser: PromptEraser
    gallery: Gallery
    thumbnails: Thumbnails
    maintenance: PictureMaintenance


def open_picture_services(
    resources: Resources, converter: Converter, facts: Facts
) -> PictureServices:
    """Build the services."""
    settings = resources.settings
    catalogue, pools = Catalogue(resources.redis), Pools(resources.redis)
    files = PictureIntake(resources.store, converter)
    deleter = PictureDeleter(catalogue, pools, files)
    evictor = Evictor(
        catalogue, deleter, resources.store, facts, bytes_max=settings.picture_bytes_max
    )
    notes = AuditLog(resources.redis)
    index = PoolIndex(resources.redis)
    thumbnails = Thumbnails(resources.store, ThumbnailRegister(resources.redis), converter)
    sliding_s = settings.cache_ttl_s if settings.cache_sliding else 0
    return PictureServices(
        address=_address(settings),
        picture_urls=PictureUrls(
            RepairingSource(resources.store, catalogue, deleter, facts),
            now_s=resources.clock.now_s,
            secret=resources.link_secret,
            ttl_s=settings.picture_url_ttl_s,
            accel=settings.picture_accel,
        ),
        intake=PictureIntake(resources.store, converter, evictor.full),
        pools=pools,
        catalogue=catalogue,
        uses=AccessCounter(catalogue, pools, sliding_s=sliding_s),
        cache_admin=CacheAdmin(catalogue, pools, deleter, notes, kept_s=settings.cache_ttl_s),
        eraser=PromptEraser(
            catalogue,
            pools,
            deleter,
            Prompts(resources.redis),
            notes,
            upstreams=tuple(resources.upstreams.names.values()),
        ),
        gallery=Gallery(catalogue, pools, index),
        thumbnails=thumbnails,
        maintenance=PictureMaintenance(
            catalogue,
            thumbnails=thumbnails,
            index=index,
            collector=GarbageCollector(catalogue, pools, deleter, resources.models),
            deleter=deleter,
            evictor=evictor,
            files=files,
            facts=facts,
            min_days=settings.picture_min_days,
            results_kept_s=settings.results_kept_s,
        ),
    )


def _address(settings: Settings) -> Address:
    listen = setting.address(settings.listen, "LISTEN")
    return Address(
        public_url=settings.public_url,
        hosts=LOCAL | {listen.host} | set(setting.names(settings.allowed_hosts)),
        fallback_url=f"http://{listen.reachable}",
    )
