"""What a running gateway says of itself: what is not there, and its metrics."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from falgate.core.budget import ORGANISATION, Account
from falgate.core.catalogue import Total
from falgate.core.errors import Refusal
from falgate.pictures.store import PictureStore
from falgate.store.budgets import Budgets
from falgate.store.catalogue import Catalogue
from falgate.store.corrections import Corrections
from falgate.store.ledger import Ledger
from falgate.store.proving import Proving
from falgate.store.trust import Trust
from falgate.telemetry.metrics import TEAMS_MAX, Metrics
from falgate.telemetry.standings import Standing, Where

_LOOK_S = 2.0


class Vitals:
    """Asked by orchestrators and by Prometheus."""

    def __init__(
        self,
        ledger: Ledger,
        budgets: Budgets,
        *,
        trust: Trust,
        corrections: Corrections,
        proving: Proving,
        catalogue: Catalogue,
        store: PictureStore,
        metrics: Metrics,
        upstreams: tuple[str, ...],
    ) -> None:
        self._ledger = ledger
        self._budgets = budgets
        self._trust = trust
        self._corrections = corrections
        self._proving = proving
        self._catalogue = catalogue
        self._store = store
        self._metrics = metrics
        self._upstreams = upstreams

    async def troubles(self) -> dict[str, str]:
        """What is not there, and why."""
        looks = {"redis": self._trust.sound(), "store": self._store.check()}
        words = await asyncio.gather(*map(_trouble, looks.values()))
        return {name: trouble for name, trouble in zip(looks, words, strict=True) if trouble}

    async def metrics(self) -> bytes:
        """Prometheus's text format; without Redis, what this process counted by itself."""
        standings: list[Standing] = []
        stored: Total | None = None
        with suppress(Refusal):
            standings = [await self._standing(upstream) for upstream in self._upstreams]
            stored = await self._catalogue.total()
        return self._metrics.render(standings, stored)

    async def _standing(self, upstream: str) -> Standing:
        accounts = await self._budgets.accounts(upstream)
        teams = [account for account in accounts if account.level == "team"][:TEAMS_MAX]
        return Standing(
            upstream=upstream,
            accounts=[await self._where(upstream, account) for account in (ORGANISATION, *teams)],
            house=await self._budgets.house(upstream),
            open_jobs=await self._ledger.open_jobs(upstream),
            frozen=await self._ledger.frozen_ms() > 0,
            reconciled=await self._corrections.summary(upstream),
            proved=await self._proving.last(upstream),
        )

    async def _where(self, upstream: str, account: Account) -> Where:
        return Where(
            account=account,
            positions=await self._budgets.positions(upstream, account),
            waiting=await self._budgets.waiting(upstream, account),
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
