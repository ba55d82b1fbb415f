"""Quotes: what a request would cost and which budget would refuse it; nothing is spent."""

from functools import partial

import msgspec

from falgate.cache.policy import EffectivePolicy
from falgate.cache.pool import AppPool
from falgate.core.account import Account
from falgate.core.errors import PriceMissing
from falgate.core.events import Source
from falgate.core.money import Micros
from falgate.jobs.derive import Wanted, derivable
from falgate.jobs.ports import Budgets, Pools
from falgate.jobs.usable import look
from falgate.models import price
from falgate.models.price import PriceUnknown
from falgate.models.spec import ModelSpec
from falgate.money import budget
from falgate.money.budget import Position
from falgate.pictures.ports import Pictures, Places


class QuoteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about.

    Attributes:
        spec: The model.
        arguments: An instance of `spec.input`.
        upstream: Who would sell it.
        fingerprint: Of the pool that would serve it.
        accounts: Whom it would be charged to, the organisation first.
        treatment: How the cache would treat it.
    """

    spec: ModelSpec
    arguments: object
    upstream: str
    fingerprint: str
    accounts: tuple[Account, ...]
    treatment: EffectivePolicy


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a request would come to now, all amounts in micro-USD.

    Attributes:
        asked: Pictures.
        cached: How many of them are there and free.
        derived: How many of those would be made here of others.
        listed: List price of those to be bought.
        estimate: What they would be booked at.
        ceiling: The most that they may cost: what would be held.
        price_version: Of the model's table.
        refusing: Enforced budgets without room for the ceiling.
        shadows: Shadow budgets without room for it.
        tightest: The enforced budget with the least left.
        fresh: Whether new pictures were asked for, whatever is there.
    """

    asked: int
    cached: int
    derived: int
    listed: Micros
    estimate: Micros
    ceiling: Micros
    price_version: str
    refusing: tuple[Position, ...]
    shadows: tuple[Position, ...]
    tightest: Position | None
    fresh: bool = False

    @property
    def source(self) -> Source:
        """What the answer would be."""
        if self.fresh:
            return "bypass"
        if self.cached < self.asked:
            return "partial" if self.cached else "miss"
        return "derived" if self.derived else "hit"


class Quotes:
    """Answers what a request would cost."""

    def __init__(self, pools: Pools, pictures: Pictures, budgets: Budgets, places: Places) -> None:
        self._pools = pools
        self._pictures = pictures
        self._budgets = budgets
        self._places = places

    async def quote(self, asked: QuoteRequest) -> Quote:
        """Look at the pool, the price and every budget.

        Raises:
            PriceMissing: The model's file has no price for it.
            Unavailable: Without Redis or the store.
        """
        wanted = asked.spec.asked(asked.arguments)
        there, derived = await self._there(asked)
        missing = wanted - there - derived
        try:
            listed = price.listed(asked.spec, asked.arguments, missing)
            ceiling = price.ceiling(asked.spec, asked.arguments, missing) if missing else 0
            estimate = price.cost(asked.spec, asked.arguments, missing)
        except PriceUnknown as error:
            raise PriceMissing(str(error)) from error
        positions = [
            position
            for account in asked.accounts
            for position in await self._budgets.positions(asked.upstream, account)
        ]
        short = [p for p in positions if (left := p.remaining) is not None and ceiling > left]
        return Quote(
            asked=wanted,
            cached=there + derived,
            derived=derived,
            listed=listed,
            estimate=estimate,
            ceiling=ceiling,
            price_version=asked.spec.price_version,
            refusing=tuple(p for p in short if p.enforced),
            shadows=tuple(p for p in short if not p.enforced),
            tightest=budget.tightest(positions),
            fresh=asked.treatment.fresh != "",
        )

    async def _there(self, asked: QuoteRequest) -> tuple[int, int]:
        """How many of the pictures are there, and how many more would be made here."""
        treatment = asked.treatment
        if treatment.fresh:
            return 0, 0
        number = asked.spec.asked(asked.arguments)
        pick = None
        if treatment.distinct:
            app = next(account.id for account in asked.accounts if account.level == "app")
            pick = partial(self._places.free, AppPool(app, asked.fingerprint), wanted=number)
        where = self._pools, self._pictures
        found, _ = await look(*where, asked.fingerprint, number, treatment, pick)
        wanted = Wanted(asked.spec, asked.arguments, asked.upstream, treatment)
        masters = await derivable(*where, wanted, found, pick)
        there = found.pictures[:number]
        made = sum(picture.master != "" for picture in there)
        return len(there) - made, made + len(masters)
