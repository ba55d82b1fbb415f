"""The path of a request as a page draws it: each step in words, when it was, how long it took."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

_WORDS: Mapping[str, tuple[str, str]] = {
    "received": ("Received", "falgate has the request."),
    "looked_up": ("Looked up", "Its pool of pictures was read."),
    "joined": ("Joined", "It waits for another request's purchase of the same, and pays nothing."),
    "held": ("Held", "Money is set aside on each of its budgets."),
    "waited": ("Waited", "The purchase has its turn at the upstream."),
    "submitted": ("Sent", "The purchase is on its way to the upstream."),
    "accepted": ("Accepted", "The upstream has given it an id, and makes the pictures."),
    "paid": ("Bought", "The pictures are made, and their price is settled."),
    "banked": ("Banked", "The pictures are stored, and everybody of the scope has them."),
    "released": ("Released", "Nothing was bought; what was held is free again."),
    "refused": ("Refused by the upstream", "The upstream made no picture."),
    "unknown": ("Unknown", "Whether the upstream billed it is not known; it is booked in full."),
    "answered": ("Answered", "The caller has the pictures."),
    "failed": ("Answered with an error", "The caller got no picture."),
    "cancelled": ("Cancelled", "Its caller called it off."),
}
_BAD = frozenset({"refused", "unknown", "failed"})
_WIDTH_MIN = 0.75


class StepShown(NamedTuple):
    """A step of a request.

    Attributes:
        title: Its name.
        says: What happened, in a sentence.
        bad: Whether something went wrong there.
        at: When, as RFC 3339; None if that is not recorded.
        since_ms: How long after the first step; None if unknown or before it.
        took_ms: How long after the step before whose time is known; likewise.
        left: Where that time begins in percent of the whole; `width` is its length.
        width: Likewise; 0 if there is nothing to draw.
    """

    title: str
    says: str
    bad: bool
    at: str | None
    since_ms: float | None = None
    took_ms: float | None = None
    left: float = 0
    width: float = 0


def steps_shown(path: Sequence[Mapping[str, Any]]) -> list[StepShown]:
    """Return the steps of a path as the admin API tells them, in their order."""
    return list(_steps(path))


def _steps(path: Sequence[Mapping[str, Any]]) -> Iterator[StepShown]:
    times = [_ms(each["at"]) for each in path]
    known = [at for at in times if at is not None]
    first = known[0] if known else 0
    whole = max(max(known, default=0) - first, 1)
    before = first
    for each, at in zip(path, times, strict=True):
        title, says = _WORDS[each["step"]]
        bad = each["step"] in _BAD
        # The clocks of a job and of its request may differ, and a job that was joined is older.
        if at is None or at < first:
            yield StepShown(title, says, bad, each["at"])
            continue
        took = max(at - before, 0)
        wide = max(100 * took / whole, _WIDTH_MIN)
        left = min(100 * (at - took - first) / whole, 100 - wide)
        yield StepShown(
            title, says, bad, each["at"], at - first, took, round(left, 2), round(wide, 2)
        )
        before = max(at, before)


def _ms(at: str | None) -> float | None:
    return datetime.fromisoformat(at).timestamp() * 1000 if at else None
