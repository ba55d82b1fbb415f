"""Records of fal's platform API: the requests that fal knows, and what it billed for them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

import msgspec

from falgate.core.money import MICROS_MAX, Micros

_NANO = Decimal("0.000000001")
_MICROS_IN_A_DOLLAR = 10**6
_DOLLARS_MAX = MICROS_MAX // _MICROS_IN_A_DOLLAR


class BooksClosed(Exception):
    """fal's lists cannot be read completely; the message says why, without any key."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A request that fal knows.

    Attributes:
        request_id: fal's id.
        endpoint: The model.
        sent_ms: When fal received it, in milliseconds since 1970; 0 if fal does not say.
        input: The body that was sent, or None if fal did not keep it. It contains the prompt.
    """

    request_id: str
    endpoint: str
    sent_ms: int
    input: dict[str, Any] | None

    def __repr__(self) -> str:
        """Omit the prompt."""
        return f"Listed({self.request_id})"


class Billed(msgspec.Struct, frozen=True, kw_only=True):
    """A billing event; a request may have several.

    Attributes:
        request_id: fal's id of the request.
        endpoint: The model.
        dollars: Amount billed, after discounts; negative for a refund; None if the event has no
            amount.
    """

    request_id: str
    endpoint: str
    dollars: Decimal | None


def amount(value: Decimal | None) -> Decimal | None:
    """Return a number from fal as dollars; None if it cannot be an amount.

    fal's JSON shows the binary float of an amount, such as 0.034000000000000002. Rounded to a
    billionth of a dollar, fal's own precision, that is 0.034.
    """
    if value is None or not value.is_finite() or abs(value) > _DOLLARS_MAX:
        return None
    return value.quantize(_NANO)


def totals(events: Iterable[Billed]) -> dict[str, Micros | None]:
    """Sum what fal billed for each request, in micro-USD, rounded up.

    None if one of the request's events has no amount, because then the sum is unknown.
    """
    sums: dict[str, Decimal | None] = {}
    for event in events:
        known = sums.get(event.request_id, Decimal(0))
        more = event.dollars
        sums[event.request_id] = None if known is None or more is None else known + more
    return {request_id: _micros(total) for request_id, total in sums.items()}


def moment_ms(text: str | None) -> int:
    """Parse a time from fal into milliseconds since 1970; 0 if it is invalid."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return 0
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return max(0, int(found.timestamp() * 1000))


def moment(at_ms: int) -> str:
    """Format a time as fal expects it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def same_input(listed: Listed, sent: dict[str, Any]) -> bool:
    """Return whether a listed request may be the one that we sent with this body."""
    return listed.input is not None and listed.input == sent


def _micros(total: Decimal | None) -> Micros | None:
    if total is None:
        return None
    micros = (total * _MICROS_IN_A_DOLLAR).to_integral_value(ROUND_CEILING)
    return max(0, int(micros))
