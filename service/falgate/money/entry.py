"""Entries of the ledger: its four kinds, read from a stream's fields, and as people see them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from falgate.core.account import ORGANISATION, account, chain
from falgate.core.money import Micros, dollars
from falgate.core.problems import Conflict

EntryKind = Literal["close", "correction", "reset", "raise"]
ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)

Outcome = Literal["paid", "refused", "released", "unknown", "recovered"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""How a purchase was closed. recovered: found in fal's books, after ours had lost it."""


class EntryStrange(Conflict):
    """An entry that this falgate cannot read; what it means for the sums, nobody knows."""


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What every entry has.

    Attributes:
        entry: Its id in the stream: when it was written, Redis's milliseconds, and a count.
        windows: Names of the windows that it is about, space separated.
    """

    entry: str
    windows: str

    @property
    def at_ms(self) -> int:
        """When it was written, Redis's time."""
        return int(self.entry.partition("-")[0])


class _OfJob(Posted, frozen=True, kw_only=True):
    job: str
    team: str
    app: str
    key: str
    request_id: str = ""
    billed: Micros
    overrun: Micros
    why: str = ""

    @property
    def subject(self) -> str:
        """Whose it is in the roll-ups, "team/app"."""
        return f"{self.team}/{self.app}"

    @property
    def day(self) -> str:
        """The local date that it belongs to, by its windows."""
        return _day(self.windows)


class Close(_OfJob, frozen=True, kw_only=True):
    """The one closing entry of a job.

    Attributes:
        job: Whose.
        team: Who answers for the money, and so on.
        request_id: fal's id, or "".
        outcome: See `Outcome`.
        held: What was set aside, micro-USD.
        billed: Of that, charged to the budgets, micro-USD.
        overrun: What was charged to the house above it, micro-USD.
        model: The endpoint.
        asked: Pictures that the caller wanted.
        reused: Of those, taken from the pool.
        bought: Delivered by fal.
        listed: List price of what was bought, micro-USD.
        saved: List price of what was reused, micro-USD.
        why: Why it saved that, why it brought nothing, or how it was found.
        price_version: Of the model's table.
        image_size: As asked, and so on.
    """

    outcome: Outcome
    held: Micros
    model: str = ""
    asked: int = 0
    reused: int = 0
    bought: int = 0
    listed: Micros = msgspec.field(default=0, name="list")
    saved: Micros = 0
    price_version: str = ""
    image_size: str = ""
    quality: str = ""
    output_format: str = ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of those that it was charged to."""
        if self.outcome == "recovered":
            # Nobody knows who asked for it.
            return (ORGANISATION.name,)
        return _chain(self.team, self.app, self.key)


class Correction(_OfJob, frozen=True, kw_only=True):
    """What a job cost more, or less, than its closing entry says.

    Attributes:
        job: Whose.
        team: As in the job's closing entry, and so on.
        billed: Difference to what the budgets were charged, signed micro-USD.
        overrun: Difference to what the house was charged, signed micro-USD.
        why: What it was found by.
        without_pictures: Of `billed`, for a job that brought none.
    """

    without_pictures: Micros = 0

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of those that it was charged to."""
        if self.job.startswith("recovered-"):
            return (ORGANISATION.name,)
        return _chain(self.team, self.app, self.key)


class _OfAccount(Posted, frozen=True, kw_only=True):
    account: str
    who: str = ""
    why: str = ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """Its account's name."""
        return (self.account,)


class Reset(_OfAccount, frozen=True, kw_only=True):
    """A budget begun anew within its window.

    Attributes:
        account: Name of the account, "team:web".
        forgiven: Spending that counts no more, micro-USD. Negative where a correction found that
            less was spent than had been forgiven.
        who: Who did it, and why, in their words.
    """

    forgiven: Micros


class Raise(_OfAccount, frozen=True, kw_only=True):
    """A budget's limit raised within its window.

    Attributes:
        account: Name of the account.
        raised: By how much, micro-USD.
        who: Who did it, and why, in their words.
    """

    raised: Micros


Entry = Close | Correction | Reset | Raise

_TYPES: Mapping[str, type[Entry]] = {
    "close": Close,
    "correction": Correction,
    "reset": Reset,
    "raise": Raise,
}


def read(entry: str, fields: Mapping[str, str]) -> Entry:
    """Read one.

    Args:
        entry: Its id in the stream.
        fields: As they stand there.

    Raises:
        EntryStrange: It is of no kind that is known, or lacks something.
    """
    kind = fields.get("kind", "")
    if kind not in _TYPES:
        raise EntryStrange(
            f"entry {entry} of the ledger is of kind {kind!r}, which this falgate does not know: "
            "use the version that wrote it, or a newer one"
        )
    try:
        return msgspec.convert({**fields, "entry": entry}, _TYPES[kind], strict=False)
    except msgspec.ValidationError as error:
        raise EntryStrange(f"entry {entry} of the ledger ({kind}) is damaged: {error}") from None


@lru_cache
def _day(windows: str) -> str:
    names = (name.partition(":") for name in windows.split(" "))
    return next((day for kind, _, day in names if kind == "day"), "")


@lru_cache(1_000)
def _chain(team: str, app: str, key: str) -> tuple[str, ...]:
    return tuple(each.name for each in chain(team, app, key))


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; "" wants all.

    Attributes:
        kind: Of this kind.
        outcome: Closes with this outcome.
        team: About this team: its jobs, and what was done to its budgets.
        app: About this app, "team/app" or its name alone.
        key: About this key.
        job: About this job.
    """

    kind: str = ""
    outcome: str = ""
    team: str = ""
    app: str = ""
    key: str = ""
    job: str = ""

    def wants(self, fields: Mapping[str, str]) -> bool:
        """Whether an entry is wanted, by its fields in the stream."""
        subject = fields.get("account")
        level, whose = "", ""
        if subject is not None:
            found = account(subject)
            level, whose = found.level, found.id
        team = whose if level == "team" else fields.get("team", "")
        team = whose.partition("/")[0] if level == "app" else team
        app = whose if level == "app" else f"{team}/{fields.get('app', '')}"
        return (
            self.kind in {"", fields.get("kind")}
            and self.outcome in {"", fields.get("outcome")}
            and self.team in {"", team}
            and self.app in {"", app, app.partition("/")[2]}
            and self.key in {"", whose if level == "key" else fields.get("key")}
            and self.job in {"", fields.get("job")}
        )


_MONEY = {
    "held": "held",
    # As it was named when it was thought to be what fal bills.
    "billed": "booked",
    "overrun": "overrun",
    "list": "list",
    "saved": "saved",
    "forgiven": "forgiven",
    "raised": "raised",
}
_PLAIN = ("asked", "reused", "bought")
COLUMNS = (
    *("entry", "at", "kind", "outcome", "job", "team", "app", "key", "account", "model"),
    *("image_size", "quality", "output_format", *_PLAIN),
    *(f"{column}_usd" for column in _MONEY.values()),
    *("request_id", "why", "who", "price_version", "windows"),
)
"""Of an entry as it is shown: in a table, as CSV and as JSON."""


def shown(entry: str, fields: Mapping[str, str]) -> dict[str, str]:
    """An entry for people and their programs: money in dollars, its time in UTC.

    Raises:
        EntryStrange: It has no kind that is known.
    """
    read(entry, fields)
    at = datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC)
    told = {"entry": entry, "at": at.isoformat(timespec="milliseconds"), **fields}
    for name, column in _MONEY.items():
        if name in told:
            told[f"{column}_usd"] = dollars(int(told.pop(name)))
    return {name: told[name] for name in COLUMNS if name in told}
