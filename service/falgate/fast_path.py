"""Builds the fast path for cache hits, and what it runs in the background."""

from collections.abc import Sequence

import msgspec

from falgate.background import Job
from falgate.http.fastpath import FastPath
from falgate.jobs.ports import Ports
from falgate.picture_services import PictureServices
from falgate.redis.retry import every
from falgate.requests.hits import HitFinder
from falgate.resources import Resources
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.hits import BATCH_S, HitCounter


class Hits(msgspec.Struct, frozen=True):
    """The fast path; nothing of it if it is switched off.

    Attributes:
        shortcut: Answers hits.
        jobs: What runs in the background.
    """

    shortcut: FastPath | None = None
    jobs: Sequence[Job] = ()


def open_fast_path(
    resources: Resources, ports: Ports, kept: PictureServices, telemetry: Telemetry
) -> Hits:
    """Build it."""
    settings, tracked = resources.settings, resources.tracked
    if tracked is None:
        return Hits()
    finder = HitFinder(ports, tracked.keys, tracked.pools)
    counter = HitCounter(telemetry, kept.uses.add)
    shortcut = FastPath(
        finder,
        tracked.tracking,
        resources.clock,
        counter,
        # A request with input pictures is not answered by its bytes alone: its URLs may lead to
        # other pictures by now.
        models={name: spec for name, spec in ports.models.items() if not spec.inputs},
        address=kept.address,
        picture_urls=kept.picture_urls,
        cors=resources.cors,
        proxies=resources.proxies,
        body_bytes_max=settings.body_bytes_max,
        bytes_max=settings.fast_path_bytes_max,
    )

    async def count() -> None:
        try:
            await every(BATCH_S, counter.flush)
        finally:
            await counter.flush()

    return Hits(shortcut, (count,))
