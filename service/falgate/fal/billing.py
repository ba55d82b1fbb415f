"""What fal's own books say: the requests that it knows, and what it billed for them."""

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
    """fal's books cannot be read, or not to their end; the message says why, without any key."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A request that fal knows.

    Attributes:
        request_id: fal's id of it.
        endpoint: The model.
        sent_ms: When it came, milliseconds since 1970; 0 where fal does not say.
        input: The body that was sent, or None where fal did not keep it. It quotes the prompt.
    """

    request_id: str
    endpoint: str
    sent_ms: int
    input: dict[str, Any] | None

    def __repr__(self) -> str:
        """Without the prompt."""
        return f"Listed({self.request_id})"


class Billed(msgspec.Struct, frozen=True, kw_only=True):
    """One billing event; a request may have several.

    Attributes:
        request_id: fal's id of what it is about.
        endpoint: The model.
        dollars: What is billed, without what is discounted; negative where fal gives back; None
            where the event names no amount.
    """

    request_id: str
    endpoint: str
    dollars: Decimal | None


def amount(value: Decimal | None) -> Decimal | None:
    """A number of fal's as dollars; None where it is none that could be an amount.

    fal's JSON carries what a binary float made of an amount, 0.034000000000000002: to a billionth
    of a dollar, which is as fine as fal counts, that is 0.034.
    """
    if value is None or not value.is_finite() or abs(value) > _DOLLARS_MAX:
        return None
    return value.quantize(_NANO)


def totals(events: Iterable[Billed]) -> dict[str, Micros | None]:
    """What fal billed for each request, in micro-USD, a part of one counted as a whole.

    None where an event names no amount: then the sum is not known.
    """
    sums: dict[str, Decimal | None] = {}
    for event in events:
        known = sums.get(event.request_id, Decimal(0))
        more = event.dollars
        sums[event.request_id] = None if known is None or more is None else known + more
    return {request_id: _micros(total) for request_id, total in sums.items()}


def moment_ms(text: str | None) -> int:
    """Read fal's spelling of a time, in milliseconds since 1970; 0 where it is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return 0
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return max(0, int(found.timestamp() * 1000))


def moment(at_ms: int) -> str:
    """Spell a time for fal."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def same_input(listed: Listed, sent: dict[str, Any]) -> bool:
    """Whether a request may be the one that we sent this body with."""
    return listed.input is not None and listed.input == sent


def _micros(total: Decimal | None) -> Micros | None:
    if total is None:
        return None
    micros = (total * _MICROS_IN_A_DOLLAR).to_integral_value(ROUND_CEILING)
    return max(0, int(micros))
