"""What a running gateway says of itself: what is not there, and its metrics."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from falgate.accounts.store.registry import Registry
from falgate.core.errors import Refusal
from falgate.money.store.trust import Trust
from falgate.pictures.catalogue import StoreSize
from falgate.pictures.storage import FREE_BYTES_MIN, PictureStore
from falgate.telemetry.metrics import Metrics, Stored
from falgate.telemetry.standing import UpstreamStanding
from falgate.telemetry.store.standings import Standings

_LOOK_S = 2.0
_KNOWN_FOR_S = 1.0


class Health:
    """Asked by orchestrators and by Prometheus."""

    def __init__(
        self,
        standings: Standings,
        *,
        registry: Registry,
        trust: Trust,
        store: PictureStore,
        bytes_max: int,
        metrics: Metrics,
        upstreams: Sequence[str],
    ) -> None:
        """Look at these; the store has room for `bytes_max`, 0 for as much as its disk."""
        self._standings = standings
        self._registry = registry
        self._trust = trust
        self._store = store
        self._bytes_max = bytes_max
        self._metrics = metrics
        self._upstreams = upstreams
        self._looking: asyncio.Task[dict[str, str]] | None = None
        self._looked_s = float("-inf")
        self._leaving = False

    def leave(self) -> None:
        """Be not ready from now on: balancers send nothing more here."""
        self._leaving = True

    async def troubles(self) -> dict[str, str]:
        """What is needed for a hit and is not there, and why.

        One look serves all who ask within a second, whatever it found: anybody may ask. It writes
        nothing, and a full store is no trouble: what is in it is handed out.
        """
        if self._leaving:
            return {"falgate": "it is about to stop"}
        now_s = asyncio.get_running_loop().time()
        if self._looking is None or now_s - self._looked_s >= _KNOWN_FOR_S:
            self._looking = asyncio.create_task(self._look())
            self._looked_s = now_s
        # Whoever began it may leave, and the others want to know all the same.
        return await asyncio.shield(self._looking)

    async def _look(self) -> dict[str, str]:
        looks = {"redis": self._trust.sound(), "store": self._store.reach()}
        words = await asyncio.gather(*map(_trouble, looks.values()))
        return {name: trouble for name, trouble in zip(looks, words, strict=True) if trouble}

    async def metrics(self) -> bytes:
        """Prometheus's text format; without Redis, what this process counted by itself."""
        standings: list[UpstreamStanding] = []
        total: StoreSize | None = None
        with suppress(Refusal):
            # Who was made since the last look has series before anything is counted of them.
            self._metrics.know(await self._registry.latest())
            standings, total = await self._standings.read(self._upstreams)
        return self._metrics.render(standings, await self._stored(total))

    async def _stored(self, total: StoreSize | None) -> Stored:
        free_bytes: int | None = None
        with suppress(Refusal):
            free_bytes = await self._store.free_bytes()
        fulls = [] if free_bytes is None else [free_bytes < FREE_BYTES_MIN]
        if total is not None:
            fulls.append(0 < self._bytes_max <= total.size_bytes)
        return Stored(total=total, free_bytes=free_bytes, full=any(fulls) if fulls else None)


async def _trouble(look: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(_LOOK_S):
            await look
    except Refusal as refusal:
        return str(refusal)
    except TimeoutError:
        return f"no answer within {_LOOK_S:g} s"
    return ""
