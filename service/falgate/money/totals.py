"""Totals of the ledger for a filter: what the roll-ups can tell, and what they cannot."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from falgate.core.money import Micros
from falgate.money.activity import Sums
from falgate.money.entry import OUTCOMES
from falgate.money.entry_filter import Filter
from falgate.money.usage import ANSWERED, spelt

BOOKED = ("billed", "overrun")
MEASURES = (*("purchases", "bought", "list", *BOOKED, "reconciled", "without_pictures", "saved"),)
"""The measures of totals."""

_SPECIAL = re.compile(r"([\\*?\[\]^-])")
OTHER = "other"
"""The key under which a day's breakdown counts those that it has no room for."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the roll-ups say about the entries that a filter means.

    Attributes:
        sums: By the measures of the roll-ups.
        not_applied: The parts of the filter that they cannot tell apart, and which were ignored.
        undivided_days: Days of which only a team's and an app's sums are left or were counted.
        undivided: What is booked there for the team and the app without its parts, and under the
            key `OTHER`: some of it may belong to `sums`.
    """

    sums: Sums
    not_applied: tuple[str, ...]
    undivided_days: int = 0
    undivided: Micros = 0


def in_parts(wanted: Filter) -> bool:
    """Return whether a filter needs the days' breakdowns."""
    return bool(wanted.key or wanted.model or wanted.outcome)


def not_applied(wanted: Filter) -> tuple[str, ...]:
    """Return the names of those fields of a filter that no roll-up has."""
    return tuple(
        name for name in ("kind", "job", "pictures", "reconciled") if getattr(wanted, name)
    )


def parts(wanted: Filter) -> list[str]:
    """Return the names of the sums of a team, or of all, that a model and an outcome are in."""
    model = f"|{wanted.model}" if wanted.model else ""
    outcomes = (wanted.outcome,) if wanted.outcome else (*OUTCOMES, ANSWERED)
    return [f"{wanted.team}|{outcome}{model}" for outcome in outcomes]


def pattern(wanted: Filter, *, broken_down: bool) -> str:
    """Return a pattern of Redis that matches all fields of a day's roll-up that may be meant."""
    team, _, app = wanted.app.rpartition("/")
    subject = f"{_glob(wanted.team or team)}/{_glob(app)}"
    if not broken_down:
        return f"{subject}:*"
    # The rest is checked afterwards: a pattern with many stars costs Redis more than it saves.
    return f"{subject}/*" if wanted.team or team else "*"


def summed(wanted: Filter, fields: Mapping[str, str]) -> Sums:
    """Return the sums of a day's fields, by "<team>/<app>:<measure>", that are meant."""
    sums: Counter[str] = Counter()
    for field, number in fields.items():
        subject, _, measure = field.rpartition(":")
        if _is_of(subject, wanted):
            sums[measure] += int(number)
    return sums


def divided(wanted: Filter, fields: Mapping[str, str]) -> tuple[Sums, Micros]:
    """Return the same of a day's breakdown, and what is booked there for keys without a name."""
    sums: Counter[str] = Counter()
    unnamed = 0
    for field, number in fields.items():
        subject, _, measure = field.rpartition(":")
        app, (key, model, _, outcome) = spelt(subject)
        if not (_is_of(app, wanted) and _is_part(wanted, model, outcome)):
            continue
        if wanted.key in {"", key}:
            sums[measure] += int(number)
        elif key == OTHER and measure in BOOKED:
            unnamed += int(number)
    return sums, unnamed


def _is_part(wanted: Filter, model: str, outcome: str) -> bool:
    """Return whether a filter means a model and an outcome."""
    return wanted.model in {"", model} and wanted.outcome in {"", outcome}


def booked(sums: Iterable[Sums]) -> Micros:
    """Return what is booked, overage included."""
    return sum(each.get(measure, 0) for each in sums for measure in BOOKED)


def _is_of(subject: str, wanted: Filter) -> bool:
    team, _, app = subject.partition("/")
    return wanted.team in {"", team} and wanted.app in {"", subject, app}


def _glob(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text) or "*"
