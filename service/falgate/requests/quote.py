"""Quotes: what a request would cost and what would refuse it, without buying anything."""

from typing import Any

import msgspec

from falgate.cache.lookup import PoolReader
from falgate.cache.request import PictureRequest
from falgate.core.account import Account
from falgate.core.errors import InputRejected, PriceMissing
from falgate.core.events import Source
from falgate.core.money import Micros
from falgate.jobs.forecast import forecast
from falgate.jobs.ports import Budgets, Stops
from falgate.models import price
from falgate.models.price import PriceUnknown
from falgate.models.redirect import redirected
from falgate.models.spec import ModelSpec
from falgate.money import budget
from falgate.money.budget import Position
from falgate.money.stop import Stopped, stoppable
from falgate.pictures.ports import Places


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a request would cost now. All amounts are in micro-USD.

    Attributes:
        asked: Number of pictures.
        cached: How many of them the cache has; these are free.
        derived: How many of those would be converted from others.
        listed: List price of those to be bought.
        estimate: What they are expected to be charged at.
        ceiling: The most that they may cost, which is what would be held.
        price_version: Version of the model's price table.
        refusing: Enforced budgets that cannot pay the ceiling.
        stopped: What of it an operator stopped, if it would have to buy.
        shadows: Shadow budgets that cannot pay the ceiling.
        tightest: The enforced budget with the least left.
        source: How the request would be served.
    """

    asked: int
    cached: int
    derived: int
    listed: Micros
    estimate: Micros
    ceiling: Micros
    price_version: str
    refusing: tuple[Position, ...]
    stopped: Stopped | None
    shadows: tuple[Position, ...]
    tightest: Position | None
    source: Source


class Succession(msgspec.Struct, frozen=True, kw_only=True):
    """What the pictures of a request would cost if its model's successor made all of them.

    Attributes:
        model: Endpoint of the successor.
        estimate: What they are expected to be charged at, in micro-USD.
        difference: By how much that is more than for the model itself; negative if it is less.
        problem: Why the successor cannot make them, or "".
    """

    model: str
    estimate: Micros = 0
    difference: Micros = 0
    problem: str = ""


def succession(spec: ModelSpec, arguments: Any, successor: ModelSpec) -> Succession:
    """Return what changes for a request when a successor takes its model's place."""
    number = spec.asked(arguments)
    try:
        moved = redirected(spec, arguments, successor)
        estimate = price.cost(successor, moved, number)
        difference = estimate - price.cost(spec, arguments, number)
    except InputRejected as rejected:
        first = rejected.issues[0]
        where = ".".join(map(str, first["loc"]))
        return Succession(model=successor.endpoint, problem=f"{where}: {first['msg']}")
    except PriceUnknown as error:
        return Succession(model=successor.endpoint, problem=str(error))
    return Succession(model=successor.endpoint, estimate=estimate, difference=difference)


class Quotes:
    """Quotes requests."""

    def __init__(self, pools: PoolReader, budgets: Budgets, stops: Stops, places: Places) -> None:
        self._pools = pools
        self._budgets = budgets
        self._stops = stops
        self._places = places

    async def quote(self, asked: PictureRequest, accounts: tuple[Account, ...]) -> Quote:
        """Quote a request by its pool, its price, every budget and what is stopped.

        Args:
            asked: The request.
            accounts: The accounts that would be charged, the organisation first.

        Raises:
            PriceMissing: The model has no price for it.
            Unavailable: Without Redis.
        """
        app = next(account.id for account in accounts if account.level == "app")
        there, masters = await forecast(self._pools, self._places, asked, app)
        missing = there.missing - len(masters)
        try:
            listed = price.listed(asked.spec, asked.arguments, missing)
            ceiling = price.ceiling(asked.spec, asked.arguments, missing) if missing else 0
            estimate = price.cost(asked.spec, asked.arguments, missing)
        except PriceUnknown as error:
            raise PriceMissing(str(error)) from error
        positions = [
            position
            for account in accounts
            for position in await self._budgets.positions(asked.upstream, account)
        ]
        short = [p for p in positions if (left := p.remaining) is not None and ceiling > left]
        stopped = None
        if missing:
            stopped = await self._stops.first(stoppable(accounts))
        found = there.handed_out
        # What would be converted is served as what already was.
        served = msgspec.structs.replace(there, pictures=(*found, *masters))
        return Quote(
            asked=there.wanted,
            cached=len(served.pictures),
            derived=sum(picture.master != "" for picture in found) + len(masters),
            listed=listed,
            estimate=estimate,
            ceiling=ceiling,
            price_version=asked.spec.price_version,
            refusing=tuple(p for p in short if p.enforced),
            stopped=stopped,
            shadows=tuple(p for p in short if not p.enforced),
            tightest=budget.tightest(positions),
            source="derived" if masters and not served.missing else served.source,
        )
