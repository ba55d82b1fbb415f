"""Activity: what was asked for, bought and saved in each hour, day or month of a period."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import msgspec

from falgate.core.problems import Invalid
from falgate.money.usage import SAVED_BY, Period

Step = Literal["hour", "day", "month"]
STEPS: tuple[Step, ...] = get_args(Step)

DAYS_MAX: Mapping[Step, int] = {"hour": 14, "day": 366, "month": 366}
"""The longest period in days, by step: what is read grows with the days, not with entries."""

SAVED = tuple(dict.fromkeys(SAVED_BY.values()))
MEASURES = (
    *("answers", "hits", "partial", "joined", "misses", "fresh"),
    *("purchases", "bought", "list", "billed", "overrun", "reconciled", "without_pictures"),
    *("saved", *SAVED),
)
"""Counts, and amounts in micro-USD, by their names in the roll-ups."""

Sums = Mapping[str, int]
"""By the names in `MEASURES`; what is missing is 0."""


class Bucket(msgspec.Struct, frozen=True):
    """One hour, day or month of a series.

    Attributes:
        start: Local: "2026-11-30T14", "2026-11-30" or "2026-11". An hour that a clock shows twice
            is one bucket.
        sums: What was counted in it.
    """

    start: str
    sums: Sums


def check_step(step: Step, days: Period) -> None:
    """Check that a period is not too long for its step.

    Raises:
        Invalid: It is.
    """
    number = (days.last - days.first).days + 1
    if number > DAYS_MAX[step]:
        raise Invalid(f"{number} days are too many by the {step}: choose {DAYS_MAX[step]} at most")


def series(step: Step, found: Iterable[tuple[str, Sums]]) -> list[Bucket]:
    """Return the buckets of a period, in order, those without activity too.

    Args:
        step: How long a bucket is.
        found: What was counted by each "day", or "day" and "hour", in order and without gaps.
    """
    buckets: dict[str, Counter[str]] = {}
    for start, sums in found:
        bucket = buckets.setdefault(start[:7] if step == "month" else start, Counter())
        bucket.update(sums)
    return [Bucket(start, sums) for start, sums in buckets.items()]


def total(buckets: Iterable[Bucket]) -> Sums:
    """Return the sum of buckets."""
    return added(bucket.sums for bucket in buckets)


def added(sums: Iterable[Sums]) -> Sums:
    """Return the sum of sums."""
    whole: Counter[str] = Counter()
    for each in sums:
        whole.update(each)
    return whole


def hours(day: str) -> Sequence[str]:
    """Return the names of a day's hours, as buckets have them."""
    return [f"{day}T{hour:02}" for hour in range(24)]


def hit_share(sums: Sums) -> str | None:
    """Return the share, 0 to 1, of answers that needed no purchase of their own; None without any.

    Those are hits, with conversions, and answers that another request's purchase gave.
    """
    answers = sums.get("answers", 0)
    free = sums.get("hits", 0) + sums.get("joined", 0)
    return f"{free / answers:.4f}" if answers else None


def saved_otherwise(sums: Sums) -> int:
    """Return what was saved for a reason that was not counted, by an earlier version; micro-USD."""
    return sums.get("saved", 0) - sum(sums.get(each, 0) for each in SAVED)
