"""Ingest: what fal delivered is stored, and published in the job's pool."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from falgate.cache.fingerprint import version
from falgate.cache.pool import PoolVersion
from falgate.cache.pool_info import PoolInfo
from falgate.core.errors import StoreUnavailable
from falgate.core.events import Anomaly, AnomalyKind
from falgate.core.money import Micros
from falgate.core.picture import Kept, NotAPicture, Picture
from falgate.fal.replies import DownloadFailed
from falgate.jobs.fetching import Fetches
from falgate.jobs.job import Job, Order
from falgate.jobs.ports import Ports
from falgate.models import price
from falgate.models.said import Said
from falgate.models.spec import ModelSpec
from falgate.pictures.catalogue import NewPicture
from falgate.redis.retry import retry_until_available

_PAUSES_S = (0.2, 1.0)
_REMOVING_S = 0.5
_NEXT_TRY_MS_MAX = 15 * 60_000
BANK_FOR_S = 24 * 3600
"""How long fetching is tried, in seconds. fal is asked to keep pictures for longer than that."""


async def ingest(ports: Ports, job: Job, fetches: Fetches, *, kept_s: int) -> None:
    """Store and publish the pictures of a paid job, and finish it.

    While some cannot be fetched or stored, waiting callers get fal's own file URLs and the job is
    tried again, at growing intervals, for up to `BANK_FOR_S`. Its flight stays claimed, so a
    request for more of the same pictures waits. After that, the job is finished with the pictures
    that could be stored.

    Args:
        ports: The ports of the request flow.
        job: In state "paid".
        fetches: Its pictures.
        kept_s: How long a pool keeps a picture, in seconds.

    Raises:
        Fenced: Another instance has the job.
    """
    kept, why = await _store(ports, job, fetches)
    now_ms = ports.jobs.clock_ms()
    age_ms = now_ms - job.submitted_ms
    if why:
        _report(ports, "unbanked", job, why)
        if age_ms < BANK_FOR_S * 1000:
            # Wait as long as it has been tried so far, so that the intervals double.
            lease_ms = min(age_ms, _NEXT_TRY_MS_MAX)
            await retry_until_available(
                lambda: ports.jobs.mark_uncertain(job, "unbanked", lease_ms=lease_ms)
            )
            return
    made_s = now_ms // 1000
    pictures = [
        Picture(
            made_s=made_s,
            until_s=made_s + kept_s,
            job=job.order.id,
            scalars=said.scalars,
            parallels=said.parallels,
            **msgspec.structs.asdict(picture),
        )
        for picture, said in kept
    ]
    pooled = [
        picture for picture, (_, said) in zip(pictures, kept, strict=True) if not said.flagged
    ]
    published = None
    if not all(map(fetches.expected.fits, pictures)):
        # The callers get it, because it is paid for: after a 502, fal's JavaScript client would buy
        # it three more times. It is not what the pool is for, so the pool does not get it.
        _report(ports, "not_as_asked", job, "fal delivered another size or format than requested")
    elif pooled:
        published = await retry_until_available(lambda: _publish(ports, job.order, pooled))
    await retry_until_available(lambda: ports.jobs.finish(job, pictures, published))


async def _publish(ports: Ports, order: Order, pictures: Sequence[Picture]) -> PoolVersion | None:
    """Publish pictures in the order's pool; return its new version, or None if it got nothing."""
    where = order.fingerprint, order.id, order.generation
    match order.fresh:
        case "aside":
            return None
        case "replace":
            return await ports.pools.renew(*where, pictures)
    return await ports.pools.append(*where, pictures)


async def _store(ports: Ports, job: Job, fetches: Fetches) -> tuple[list[tuple[Kept, Said]], str]:
    """Return the pictures that could be stored, in fal's order with what fal said, and why not all.

    A picture that failed is tried again a few times.
    """
    found: dict[str, Kept | str] = dict.fromkeys(fetches.urls, "")
    for pause_s in (*_PAUSES_S, 0):
        missing = [url for url, kept in found.items() if isinstance(kept, str)]
        found |= zip(
            missing,
            await asyncio.gather(*(_keep(ports, job, fetches, url) for url in missing)),
            strict=True,
        )
        if all(isinstance(kept, Kept) for kept in found.values()):
            break
        await asyncio.sleep(pause_s)
    why = next((kept for kept in found.values() if isinstance(kept, str)), "")
    there = [
        (kept, said)
        for url, said in zip(fetches.urls, fetches.said, strict=True)
        if isinstance(kept := found[url], Kept)
    ]
    return there, why


async def _keep(ports: Ports, job: Job, fetches: Fetches, url: str) -> Kept | str:
    try:
        data, kept = await fetches.fetched(url)
        await file(ports, _filing(ports, job.order, fetches.arguments, kept))
        await ports.pictures.keep(data, kept)
    except (DownloadFailed, NotAPicture, StoreUnavailable) as error:
        return f"{type(error).__name__}: {error.__cause__ or error}".splitlines()[0]
    return kept


def _filing(ports: Ports, order: Order, arguments: Any, kept: Kept) -> NewPicture:
    spec = ports.models[order.endpoint]
    pooled = order.fresh != "aside"
    return NewPicture(
        kept=kept,
        value=_value(spec, order, arguments, kept),
        app=f"{order.team}/{order.app}",
        prompt_sha256=order.prompt_sha256,
        fingerprint=order.fingerprint if pooled else "",
        about=_pool_info(spec, order) if pooled else None,
    )


def _value(spec: ModelSpec, order: Order, arguments: Any, kept: Kept) -> Micros:
    """Return what it would cost to buy a picture of this size again, in micro-USD."""
    try:
        return price.worth(spec, arguments, 1, [(kept.width, kept.height)])
    except price.PriceUnknown:  # the price table of this version has none
        return order.listed // order.number


def _pool_info(spec: ModelSpec, order: Order) -> PoolInfo:
    """Return the description of an order's pool."""
    return PoolInfo(
        endpoint=order.endpoint,
        upstream=order.upstream,
        scope=order.scope,
        variation=order.variation,
        version=version(spec),
        prompt_sha256=order.prompt_sha256,
        recorded=order.recorded,
        arguments=order.input if order.keep_prompt else None,
    )


async def file(ports: Ports, filing: NewPicture) -> None:
    """Register a picture before its bytes are stored, so that no clean-up deletes them as unused.

    While old bytes of the same picture are being deleted, wait: new ones would be deleted with
    them.
    """
    filed = await retry_until_available(lambda: ports.catalogue.register(filing))
    while not filed:
        await asyncio.sleep(_REMOVING_S)
        filed = await retry_until_available(lambda: ports.catalogue.register(filing))


def _report(ports: Ports, what: AnomalyKind, job: Job, detail: str) -> None:
    ports.facts.anomaly(Anomaly(what=what, job=job.order.id, detail=detail))
