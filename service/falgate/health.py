"""Readiness and metrics of a running gateway."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from falgate.accounts.store.registry import Registry
from falgate.billing.store.model_drifts import ModelDrifts
from falgate.core.errors import Refusal
from falgate.money.store.trust import Trust
from falgate.pictures.catalogue import StoreSize
from falgate.pictures.storage import FREE_BYTES_MIN, PictureStore
from falgate.resources import Resources
from falgate.telemetry.metrics import TEAMS_MAX, Metrics
from falgate.telemetry.siblings import Siblings
from falgate.telemetry.standing import UpstreamStanding
from falgate.telemetry.store.gauges import BudgetGauges
from falgate.telemetry.stored import Stored

_LOOK_S = 2.0
_KNOWN_FOR_S = 1.0


class Health:
    """Answers orchestrators and Prometheus."""

    def __init__(
        self,
        standings: BudgetGauges,
        drifts: ModelDrifts,
        *,
        registry: Registry,
        trust: Trust,
        store: PictureStore,
        bytes_max: int,
        metrics: Metrics,
        siblings: Siblings | None,
        upstreams: Sequence[str],
    ) -> None:
        """Check these; the store may have `bytes_max` bytes, 0 for no limit but its disk."""
        self._standings = standings
        self._drifts = drifts
        self._registry = registry
        self._trust = trust
        self._store = store
        self._bytes_max = bytes_max
        self._metrics = metrics
        self._siblings = siblings
        self._upstreams = upstreams
        self._looking: asyncio.Task[dict[str, str]] | None = None
        self._looked_s = float("-inf")
        self._leaving = False

    def leave(self) -> None:
        """Report "not ready" from now on, so that load balancers send nothing more here."""
        self._leaving = True

    async def troubles(self) -> dict[str, str]:
        """Return which dependencies of a cache hit are missing, and why.

        The result of one check is used for a second, whatever it is, because anybody may ask. A
        check writes nothing. A full store is no trouble, because its pictures can still be served.
        """
        if self._leaving:
            return {"falgate": "it is about to stop"}
        now_s = asyncio.get_running_loop().time()
        if self._looking is None or now_s - self._looked_s >= _KNOWN_FOR_S:
            self._looking = asyncio.create_task(self._look())
            self._looked_s = now_s
        # Shielded: the caller that began the check may disconnect while others wait for it.
        return await asyncio.shield(self._looking)

    async def _look(self) -> dict[str, str]:
        looks = {"redis": self._trust.sound(), "store": self._store.reach()}
        words = await asyncio.gather(*map(_trouble, looks.values()))
        return {name: trouble for name, trouble in zip(looks, words, strict=True) if trouble}

    async def metrics(self) -> bytes:
        """Return Prometheus's text format; without Redis, only what the workers counted."""
        standings: list[UpstreamStanding] = []
        total: StoreSize | None = None
        with suppress(Refusal):
            # New teams and apps get their series before anything is counted in them.
            self._metrics.know(await self._registry.directory())
            standings, total = await self._standings.read(self._upstreams)
            found = await self._drifts.all()
            self._metrics.drift = {model: report.level for model, report in found.items()}
        stored = await self._stored(total)
        if self._siblings is None:
            return self._metrics.render(standings, stored)
        return self._metrics.render(standings, stored, *await self._siblings.counts())

    async def _stored(self, total: StoreSize | None) -> Stored:
        free_bytes: int | None = None
        with suppress(Refusal):
            free_bytes = await self._store.free_bytes()
        fulls = [] if free_bytes is None else [free_bytes < FREE_BYTES_MIN]
        if total is not None:
            fulls.append(0 < self._bytes_max <= total.size_bytes)
        return Stored(total=total, free_bytes=free_bytes, full=any(fulls) if fulls else None)


def health_of(resources: Resources, metrics: Metrics, siblings: Siblings | None) -> Health:
    """Return the health of a gateway with these resources."""
    return Health(
        BudgetGauges(
            resources.redis,
            resources.settings.calendar,
            teams_max=TEAMS_MAX,
            models=resources.models,
        ),
        ModelDrifts(resources.redis),
        registry=resources.registry,
        trust=resources.trust,
        store=resources.store,
        bytes_max=resources.settings.picture_bytes_max,
        metrics=metrics,
        siblings=siblings,
        upstreams=tuple(resources.upstreams.names.values()),
    )


async def _trouble(look: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(_LOOK_S):
            await look
    except Refusal as refusal:
        return str(refusal)
    except TimeoutError:
        return f"no answer within {_LOOK_S:g} s"
    return ""
