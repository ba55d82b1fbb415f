"""Client for fal's platform API: its lists of requests and of billing events."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from falgate.fal import outcomes
from falgate.fal.billing import Billed, BooksClosed, Listed, amount, moment, moment_ms
from falgate.fal.connections import InProcess, Sender, Sockets, authorities
from falgate.fal.http import ExchangeFailed, Unusable, decoded, exchange

T = TypeVar("T")

_LOOK_S = 30.0
_LISTING_S = 120.0
_PAGE = 100
_PAGES_MAX = 500
_PAGE_BYTES_MAX = 16 * 1024 * 1024
"""A page of requests includes their inputs, with prompts of tens of thousands of characters."""
_IDS_AT_ONCE = 50
_OK = 200
_BARRED = frozenset({401, 403})
_NANOS_IN_A_DOLLAR = 10**9


class _Event(msgspec.Struct):
    request_id: str = ""
    endpoint_id: str = ""
    timestamp: str | None = None
    cost_total: Decimal | None = None
    cost_estimate_nano_usd: Decimal | None = None


class _Events(msgspec.Struct):
    billing_events: list[_Event]
    has_more: bool = False
    next_cursor: str | None = None


class _Item(msgspec.Struct):
    request_id: str = ""
    endpoint_id: str = ""
    sent_at: str | None = None
    started_at: str | None = None
    json_input: Any = None


class _Items(msgspec.Struct):
    items: list[_Item]
    has_more: bool = False
    next_cursor: str | None = None


class _Price(msgspec.Struct):
    endpoint_id: str = ""
    unit_price: Decimal | None = None


class _Prices(msgspec.Struct):
    prices: list[_Price]


class FalPlatform:
    """Client for lists of requests, billing events, prices. Every method raises `BooksClosed`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        troubled: Callable[[str], None] = lambda _: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Connect to `url` with `key`, which fal must permit to read billing.

        Args:
            url: Base URL, before /models/..., such as "https://api.fal.ai/v1".
            key: `id:secret`.
            troubled: Called with an error's message when the API fails.
            transport: Replaces sockets, for the sandbox in this process.
        """
        self._url = url.rstrip("/")
        self._key = key
        self._troubled = troubled
        self._client: Sender = (
            InProcess(transport) if transport else Sockets(authorities(), self._url)
        )

    def __repr__(self) -> str:
        """Omit the key."""
        return f"FalPlatform({self._url})"

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def requests(self, endpoint: str, since_ms: int, until_ms: int) -> tuple[Listed, ...]:
        """Return every request of an endpoint in a period, with its input if fal kept it."""
        asked = {
            "endpoint_id": endpoint,
            "start": moment(since_ms),
            "end": moment(until_ms),
            "expand": "payloads",
        }
        found = [
            _listed(item, endpoint)
            for page in await self._pages("requests/by-endpoint", asked, _Items)
            for item in page.items
            if item.request_id and item.endpoint_id in {"", endpoint}
        ]
        # If fal ignores the query's start and end, its list has more than was asked for.
        return tuple(it for it in found if not it.sent_ms or since_ms <= it.sent_ms <= until_ms)

    async def billed(self, request_ids: Sequence[str]) -> tuple[Billed, ...]:
        """Return every billing event of these requests."""
        found: list[_Event] = []
        for start in range(0, len(request_ids), _IDS_AT_ONCE):
            ids = request_ids[start : start + _IDS_AT_ONCE]
            found += await self._events({"request_id": ",".join(ids)})
        asked = set(request_ids)
        return tuple(_billed(event) for event in found if event.request_id in asked)

    async def billed_between(
        self, endpoint: str, since_ms: int, until_ms: int
    ) -> tuple[Billed, ...]:
        """Return every billing event of an endpoint in a period."""
        asked = {"endpoint_id": endpoint, "start": moment(since_ms), "end": moment(until_ms)}
        return tuple(
            _billed(event)
            for event in await self._events(asked)
            # As in `requests`: drop what was not asked for.
            if event.endpoint_id in {"", endpoint}
            and (not (at_ms := moment_ms(event.timestamp)) or since_ms <= at_ms < until_ms)
        )

    async def unit_price(self, endpoint: str) -> Decimal | None:
        """Return what fal's pricing API says for an endpoint, in dollars; None if it says nothing.

        fal has one number for each endpoint, that of its default arguments.
        """
        page: Any = await self._page(f"pricing?{urlencode({'endpoint_id': endpoint})}", _Prices)
        found = (each.unit_price for each in page.prices if each.endpoint_id == endpoint)
        price = next(found, None)
        return price if price is not None and price.is_finite() else None

    async def _events(self, asked: dict[str, str]) -> list[_Event]:
        pages = await self._pages("billing-events", asked, _Events)
        return [event for page in pages for event in page.billing_events]

    async def _pages(self, target: str, asked: dict[str, str], form: type[T]) -> list[T]:
        """Return all pages of a list, or raise: a partial list would be taken for the truth."""
        pages: list[T] = []
        cursors: set[str] = set()
        query = {**asked, "limit": str(_PAGE)}
        try:
            async with asyncio.timeout(_LISTING_S):
                while len(pages) < _PAGES_MAX:
                    page: Any = await self._page(f"{target}?{urlencode(query)}", form)
                    pages.append(page)
                    if not page.has_more:
                        return pages
                    if not page.next_cursor or page.next_cursor in cursors:
                        raise BooksClosed("fal's list has no valid cursor to its next page")
                    cursors.add(page.next_cursor)
                    query["cursor"] = page.next_cursor
        except TimeoutError:
            raise BooksClosed("fal's list took too long") from None
        raise BooksClosed("fal's list is longer than falgate reads: choose a shorter period")

    async def _page(self, target: str, form: type[T]) -> T:
        try:
            reply = await exchange(
                self._client,
                "GET",
                f"{self._url}/models/{target}",
                deadline_s=_LOOK_S,
                bytes_max=_PAGE_BYTES_MAX,
                headers={"Authorization": f"Key {self._key}", "Accept": "application/json"},
            )
        except (ExchangeFailed, Unusable) as error:
            self._troubled(str(error))
            raise BooksClosed(f"fal's platform API cannot be reached ({error})") from None
        if reply.status != _OK:
            said = outcomes.said(reply, " to a platform API call", self._key.split(":"))
            self._troubled(said)
            may = "is FALGATE_FAL_ADMIN_KEY a key that may read billing?"
            raise BooksClosed(f"{said}: {may}" if reply.status in _BARRED else said)
        try:
            return msgspec.json.decode(reply.body, type=form)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # The error would quote the answer, which contains prompts.
            raise BooksClosed("fal's platform API answered in an unknown format") from None


def _listed(item: _Item, endpoint: str) -> Listed:
    return Listed(
        request_id=item.request_id,
        endpoint=item.endpoint_id or endpoint,
        sent_ms=moment_ms(item.sent_at) or moment_ms(item.started_at),
        input=_input(item.json_input),
    )


def _input(given: Any) -> dict[str, Any] | None:
    if isinstance(given, str):
        given = decoded(given)
    return given if isinstance(given, dict) else None


def _billed(event: _Event) -> Billed:
    # The total is what fal bills after discounts; the estimate replaces a missing total.
    dollars = amount(event.cost_total)
    if dollars is None and event.cost_estimate_nano_usd is not None:
        nanos = event.cost_estimate_nano_usd
        dollars = amount(nanos / _NANOS_IN_A_DOLLAR if nanos.is_finite() else None)
    return Billed(request_id=event.request_id, endpoint=event.endpoint_id, dollars=dollars)
