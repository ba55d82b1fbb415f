"""Forecasts: what a request would get from the cache, without taking or converting anything."""

from collections.abc import Sequence
from functools import partial

from falgate.cache.decision import Decision
from falgate.cache.lookup import PoolReader, look_up
from falgate.cache.pool import AppPool
from falgate.cache.request import PictureRequest
from falgate.core.picture import Picture
from falgate.jobs.derive import derivable
from falgate.pictures.ports import Places


async def forecast(
    pools: PoolReader, places: Places, request: PictureRequest, app: str
) -> tuple[Decision, Sequence[Picture]]:
    """Decide what a request would get, and return the pictures that would be converted for it.

    Args:
        pools: The pools.
        places: Which pictures are assigned to which open request.
        request: What is wanted.
        app: "team/app" of the app that asks.

    Raises:
        Unavailable: Without Redis.
    """
    pick = None
    if request.treatment.distinct:
        pick = partial(places.free, AppPool(app, request.fingerprint), wanted=request.wanted)
    there = await look_up(pools, request, pick)
    return there, await derivable(pools, request, there, pick)
