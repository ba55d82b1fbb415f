"""Ledger entries: their four kinds, parsed from a Redis stream's fields."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from falgate.core.account import chain
from falgate.core.money import Micros
from falgate.core.problems import Conflict

EntryKind = Literal["close", "correction", "reset", "raise"]
ENTRY_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)

Outcome = Literal["paid", "refused", "released", "unknown", "recovered"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""How a purchase was closed. recovered: found in fal's list after our ledger had lost it."""


# A closing entry is written when the money moves, in the same script as the counters and the job's
# state, and not when the pictures are stored: everything in it is known by then. So the sum of the
# ledger equals the counters at every instant, and a difference is always a fault, never a delay.


class EntryStrange(Conflict):
    """An entry that this version of falgate cannot read, so the sums are unknown."""


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What all entries have in common.

    Attributes:
        entry: Its stream id: Redis's time in milliseconds when it was written, and a sequence
            number.
        windows: Names of the windows that are concerned, separated by spaces.
    """

    entry: str
    windows: str

    @property
    def at_ms(self) -> int:
        """When it was written, Redis's time in milliseconds since 1970."""
        return int(self.entry.partition("-")[0])


class _OfJob(Posted, frozen=True, kw_only=True):
    job: str
    team: str
    app: str
    key: str
    charged_model: str = ""
    request_id: str = ""
    billed: Micros
    overrun: Micros
    why: str = ""

    @property
    def subject(self) -> str:
        """The "team/app" under which the roll-ups count it."""
        return f"{self.team}/{self.app}"

    @property
    def day(self) -> str:
        """The local date that it is counted under."""
        return _day(self.windows)

    def _charged(self, *, of_nobody: bool) -> tuple[str, ...]:
        asking = ("", "", "") if of_nobody else (self.team, self.app, self.key)
        return _chain(*asking, self.charged_model)


class Close(_OfJob, frozen=True, kw_only=True):
    """The closing entry of a job, of which there is exactly one.

    Attributes:
        job: The job's id.
        team: Who is charged; likewise `app` and `key`.
        charged_model: The model, if it is charged too; "" for jobs that an earlier version held.
        request_id: fal's id, or "".
        outcome: See `Outcome`.
        held: The hold, in micro-USD.
        billed: What the budgets were charged of the hold, in micro-USD.
        overrun: What the overage account was charged above the hold, in micro-USD.
        model: The endpoint.
        asked: Pictures that the caller asked for.
        reused: Of those, taken from the pool.
        bought: Pictures that fal delivered.
        listed: List price of what was bought, in micro-USD.
        saved: List price of what was reused, in micro-USD.
        why: Why money was saved, why no picture was delivered, or how the request was found.
        price_version: Version of the model's price table.
        image_size: As in the request; likewise `quality` and `output_format`.
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
        """Names of the accounts that were charged."""
        return self._charged(of_nobody=self.outcome == "recovered")


class Correction(_OfJob, frozen=True, kw_only=True):
    """A later difference between a job's cost and its closing entry.

    Attributes:
        job: The job's id.
        team: As in the job's closing entry; likewise `app`, `key` and `charged_model`.
        billed: Difference charged to the budgets, signed micro-USD.
        overrun: Difference charged to the overage account, signed micro-USD.
        why: How it was found.
        without_pictures: The part of `billed` that is for a job without pictures.
    """

    without_pictures: Micros = 0

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of the accounts that were charged."""
        return self._charged(of_nobody=self.job.startswith("recovered-"))


class _OfAccount(Posted, frozen=True, kw_only=True):
    account: str
    who: str = ""
    why: str = ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """Name of the account."""
        return (self.account,)


class Reset(_OfAccount, frozen=True, kw_only=True):
    """A reset of a budget within its window.

    Attributes:
        account: Name of the account, such as "team:web".
        forgiven: Spending that no longer counts, in micro-USD. Negative if a correction found that
            less was spent than had been forgiven.
        who: Who reset it; `why` is their reason.
    """

    forgiven: Micros


class Raise(_OfAccount, frozen=True, kw_only=True):
    """A raise of a budget's limit within its window.

    Attributes:
        account: Name of the account.
        raised: Change of the limit, in micro-USD.
        who: Who raised it; `why` is their reason.
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
    """Parse an entry.

    Args:
        entry: Its stream id.
        fields: Its fields in the stream.

    Raises:
        EntryStrange: Its kind is unknown, or a field is missing or invalid.
    """
    kind = fields.get("kind", "")
    if kind not in _TYPES:
        raise EntryStrange(
            f"ledger entry {entry} has kind {kind!r}, which this version of falgate does not know: "
            "use the version that wrote it, or a newer one"
        )
    try:
        return msgspec.convert({**fields, "entry": entry}, _TYPES[kind], strict=False)
    except msgspec.ValidationError as error:
        raise EntryStrange(f"ledger entry {entry} ({kind}) is damaged: {error}") from None


@lru_cache
def _day(windows: str) -> str:
    names = (name.partition(":") for name in windows.split(" "))
    return next((day for kind, _, day in names if kind == "day"), "")


@lru_cache(1_000)
def _chain(team: str, app: str, key: str, model: str) -> tuple[str, ...]:
    return tuple(each.name for each in chain(team, app, key, model))
