"""Sums of ledger entries: what every account's counters must be."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from falgate.core.money import Micros
from falgate.money.entry import Close, Correction, Entry, Raise, Reset

_DAYS_KEPT: Mapping[str, int] = {"hour": 3, "day": 40, "week": 80, "month": 400}

COUNTERS = ("spent", "forgiven", "raised")
"""An account's counters that entries change; holds are changed by jobs under way."""

MEASURES = ("billed", "overrun", "without_pictures", "purchases", "bought", "list")
"""The usage roll-ups' measures that entries change, by which the roll-ups can be verified."""

OVERAGE = "overage"
"""Takes the place of an account's name for the overage account's overrun."""
_FORMER = "house"
"""What an earlier version wrote in its place into the sums of archived entries."""

Recent = Mapping[str, str]
"""The first window id, by kind of window, whose counters are kept."""


def recent(now_ms: int) -> Recent:
    """Return the first windows whose counters are kept: those in force or closed recently."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC)
    firsts = {kind: today - timedelta(days=days) for kind, days in _DAYS_KEPT.items()}
    return {
        kind: f"{first:%Y-%m}" if kind == "month" else f"{first:%Y-%m-%d}"
        for kind, first in firsts.items()
    }


def is_recent(window: str, since: Recent) -> bool:
    """Return whether a window, given by name, is one whose counters are kept."""
    kind, _, name = window.partition(":")
    # Ids begin with an ISO date, so they sort by time.
    return name >= since.get(kind, "")


class Sums:
    """Adds entries up in memory that grows with accounts and windows, but not with entries.

    Attributes:
        accounts: By account name, then "<counter>:<window>": micro-USD. Only recent windows.
        overage: What the overage account was charged, in micro-USD.
        usage: By day, then "<team>/<app>:<measure>": micro-USD and counts.
    """

    def __init__(self, since: Recent) -> None:
        """Count the windows that are recent according to `since`."""
        self.accounts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.overage: Micros = 0
        self.usage: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._since = since
        self._fields: tuple[str, tuple[str, ...]] = ("", ())

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        match entry:
            case Close() | Correction():
                self._charge(entry.accounts, "spent", entry.windows, entry.billed)
                self.overage += entry.overrun
                self._measure(entry)
            case Reset():
                self._charge(entry.accounts, "forgiven", entry.windows, entry.forgiven)
            case Raise():
                self._charge(entry.accounts, "raised", entry.windows, entry.raised)

    def open(self, opening: Mapping[str, str]) -> None:
        """Start from the sums of archived entries, in the form in which `balances` returns them."""
        for field, amount in opening.items():
            account, bar, rest = field.partition("|")
            if not bar:
                continue
            window, _, counter = rest.rpartition("|")
            if account in {OVERAGE, _FORMER}:
                self.overage += int(amount)
            elif is_recent(window, self._since):
                self.accounts[account][f"{counter}:{window}"] += int(amount)

    def balances(self) -> Iterator[tuple[str, Micros]]:
        """Yield all sums except usage, named "<account>|<window>|<counter>"."""
        for account, counters in self.accounts.items():
            for field, amount in counters.items():
                counter, _, window = field.partition(":")
                if amount:
                    yield f"{account}|{window}|{counter}", amount
        if self.overage:
            yield f"{OVERAGE}||overrun", self.overage

    def _charge(
        self, accounts: tuple[str, ...], counter: str, windows: str, amount: Micros
    ) -> None:
        if not amount:
            return
        fields = self._named(counter, windows)
        for account in accounts:
            counters = self.accounts[account]
            for field in fields:
                counters[field] += amount

    def _named(self, counter: str, windows: str) -> tuple[str, ...]:
        """Return the recent windows' fields; cached, as consecutive entries share windows."""
        asked = f"{counter} {windows}"
        if self._fields[0] != asked:
            names = (name for name in windows.split(" ") if is_recent(name, self._since))
            self._fields = asked, tuple(f"{counter}:{name}" for name in names)
        return self._fields[1]

    def _measure(self, entry: Close | Correction) -> None:
        numbers = {"billed": entry.billed, "overrun": entry.overrun}
        if isinstance(entry, Close) and entry.bought:
            numbers |= {"purchases": 1, "bought": entry.bought, "list": entry.listed}
        elif isinstance(entry, Close):
            numbers["without_pictures"] = entry.billed
        else:
            numbers["without_pictures"] = entry.without_pictures
        measures, subject = self.usage[entry.day], entry.subject
        for measure, number in numbers.items():
            if number:
                measures[f"{subject}:{measure}"] += number
