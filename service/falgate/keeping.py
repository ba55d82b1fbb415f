"""Keeping: the pictures of a gateway, their catalogue, and who looks after them."""

import msgspec

from falgate.api.gallery import Gallery
from falgate.flow.cache_desk import CacheDesk
from falgate.flow.collecting import Collector
from falgate.flow.forgetting import Forgetter
from falgate.flow.housekeeping import Housekeeping
from falgate.flow.ports import Facts
from falgate.flow.removing import Remover
from falgate.flow.room import Room
from falgate.flow.uses import Uses
from falgate.ground import Ground
from falgate.models import MODELS
from falgate.pictures.bank import Bank
from falgate.pictures.convert import Converter
from falgate.store.catalogue import Catalogue
from falgate.store.notes import Notes
from falgate.store.pools import Pools
from falgate.store.prompts import Prompts


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that has to do with pictures that are there."""

    bank: Bank
    gallery: Gallery
    pools: Pools
    catalogue: Catalogue
    uses: Uses
    desk: CacheDesk
    forgetter: Forgetter
    housekeeping: Housekeeping


def open_keeping(ground: Ground, converter: Converter, facts: Facts) -> Keeping:
    """Put it together."""
    settings = ground.settings
    catalogue, pools = Catalogue(ground.redis), Pools(ground.redis)
    files = Bank(ground.store, converter)
    remover = Remover(catalogue, pools, files)
    room = Room(catalogue, remover, ground.store, facts, bytes_max=settings.picture_bytes_max)
    notes = Notes(ground.redis)
    sliding_s = settings.cache_ttl_s if settings.cache_sliding else 0
    return Keeping(
        gallery=Gallery(
            ground.store,
            now_s=ground.clock.now_s,
            secret=ground.link_secret,
            ttl_s=settings.picture_url_ttl_s,
        ),
        bank=Bank(ground.store, converter, room.full),
        pools=pools,
        catalogue=catalogue,
        uses=Uses(catalogue, pools, sliding_s=sliding_s),
        desk=CacheDesk(catalogue, pools, remover, notes, kept_s=settings.cache_ttl_s),
        forgetter=Forgetter(
            catalogue,
            pools,
            remover,
            Prompts(ground.redis),
            notes,
            upstreams=tuple(ground.sellers.names.values()),
        ),
        housekeeping=Housekeeping(
            catalogue,
            collector=Collector(catalogue, pools, remover, MODELS),
            remover=remover,
            room=room,
            files=files,
            facts=facts,
            min_days=settings.picture_min_days,
            results_kept_s=settings.results_kept_s,
        ),
    )
