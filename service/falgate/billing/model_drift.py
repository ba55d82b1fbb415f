"""Comparison of described models with fal's documents and prices, a few times a day.

A model that fal changed is stopped, as an operator would stop it: what is in the cache is served,
and nothing is bought until somebody has looked and resumes it. The same differences do not stop it
again.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Protocol

from falgate.billing.model_drift_report import ModelDrift
from falgate.billing.store.model_drifts import ModelDrifts
from falgate.core.account import Account
from falgate.core.events import Anomaly, Facts
from falgate.fal.billing import BooksClosed
from falgate.fal.documents import DocumentUnavailable
from falgate.models.described.document import parsed
from falgate.models.described.drift import Difference, differences, digest, price_difference
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.spec import ModelSpec
from falgate.money.stop import Stop
from falgate.redis.retry import every

_EVERY_S = 6 * 3_600
_LOOK_S = 60.0
_WHO = "falgate"
_WHY = "fal changed this model; an operator has to look at it first"


class Documents(Protocol):
    """fal's documents."""

    async def document(self, endpoint: str) -> bytes:
        """Return that of an endpoint; raises `DocumentUnavailable`."""


class UnitPrices(Protocol):
    """fal's prices."""

    async def unit_price(self, endpoint: str) -> Decimal | None:
        """Return that of an endpoint, dollars, or None; raises `BooksClosed`."""


class StopStore(Protocol):
    """What is stopped; methods raise `Unavailable` without Redis."""

    async def read(self, of: Account) -> Stop | None:
        """Return a subject's stop, or None."""

    async def put(self, of: Account, was: Stop | None, now: Stop | None, who: str) -> bool:
        """Stop a subject; False if its stop no longer equals `was`."""


Tell = Callable[[str, str], Awaitable[object]]
"""Alerts operators once that a model was changed: its endpoint, and the digest of the change."""


class ModelDriftWatch:
    """Compares the described models."""

    def __init__(
        self,
        models: Sequence[ModelSpec],
        documents: Documents,
        prices: UnitPrices | None,
        *,
        drifts: ModelDrifts,
        stops: StopStore,
        facts: Facts,
        tell: Tell,
    ) -> None:
        """Compare these models; `prices` is None if there is no key to ask with."""
        self._models = models
        self._documents = documents
        self._prices = prices
        self._drifts = drifts
        self._stops = stops
        self._facts = facts
        self._tell = tell

    async def run(self) -> None:
        """Compare every six hours, on one instance at a time, until cancelled."""
        await every(_LOOK_S, self._look_if_due)

    async def _look_if_due(self) -> None:
        if await self._drifts.take_round(_EVERY_S * 1000):
            await self.look()

    async def look(self) -> None:
        """Compare all models once. A model about which fal does not answer keeps its last result.

        Raises:
            Unavailable: Without Redis.
        """
        await self._drifts.keep_only([spec.endpoint for spec in self._models])
        for spec in self._models:
            found = await self._differences(spec)
            if found is not None:
                await self._note(spec, found)

    async def _differences(self, spec: ModelSpec) -> tuple[Difference, ...] | None:
        assert spec.described, "only described models are compared"
        endpoint, pinned = spec.endpoint, spec.described
        try:
            now = parsed(await self._documents.document(endpoint))
        except DocumentUnavailable:
            return None
        except DescriptionWrong as wrong:
            return (Difference("document", str(wrong)),)
        return (
            *differences(pinned.document, now, endpoint),
            *price_difference(pinned.unit_price, await self._unit_price(spec)),
        )

    async def _unit_price(self, spec: ModelSpec) -> Decimal:
        """Return fal's unit price, or the declared one if fal does not say it."""
        declared = spec.described.unit_price if spec.described else ""
        found = None
        if self._prices is not None and declared:
            with suppress(BooksClosed):
                found = await self._prices.unit_price(spec.endpoint)
        return Decimal(declared or 0) if found is None else found

    async def _note(self, spec: ModelSpec, found: tuple[Difference, ...]) -> None:
        endpoint = spec.endpoint
        last = await self._drifts.read(endpoint)
        report = ModelDrift(
            at_ms=await self._drifts.now_ms(),
            differences=found,
            stopped=last.stopped if last else "",
        )
        if report.changed and digest(report.changed) != report.stopped:
            await self._stop(endpoint, report)
            report = ModelDrift(
                at_ms=report.at_ms, differences=found, stopped=digest(report.changed)
            )
        await self._drifts.keep(endpoint, report)

    async def _stop(self, endpoint: str, report: ModelDrift) -> None:
        """Stop a model, unless it is stopped already, and tell operators why."""
        subject = Account("model", endpoint)
        if await self._stops.read(subject) is None:
            stop = Stop(who=_WHO, stopped_s=report.at_ms // 1000, why=_WHY)
            await self._stops.put(subject, None, stop, _WHO)
        await self._tell(endpoint, digest(report.changed))
        detail = f"{endpoint}: {'; '.join(map(str, report.changed))}"
        self._facts.anomaly(Anomaly(what="model_changed", job="", detail=detail))
