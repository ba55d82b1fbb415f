"""JSON representations of admin records, for REST and for `--json` of the commands.

Amounts are decimal US dollars in strings, times are RFC 3339.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.accounts.cache_settings import CachePolicy
from falgate.accounts.directory import Afterwards
from falgate.accounts.limits import Limits
from falgate.accounts.operator import OperatorRecord, Role
from falgate.core.calendar import Calendar
from falgate.core.calendar import Kind as WindowKind
from falgate.core.money import USD, Micros, dollars
from falgate.money.budget import Percent, Position
from falgate.money.stop import Stopped

Usd = Annotated[
    str,
    Meta(
        pattern=USD,
        description="US dollars, decimal",
        examples=["12.50"],
    ),
]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A record as JSON. Each field is a field of the record, or says how it is made of one.

    `spent_usd` is the record's `spent` in dollars, `used_at` its `used_s` or `used_ms` as a time.
    """

    @classmethod
    def of(cls, record: object, **given: Any) -> Self:
        """Convert a record; `given` has the fields that are not made of one of the record."""
        made = {name: _made(record, name) for name in cls.__struct_fields__ if name not in given}
        return cls(**made, **given)


def _made(record: Any, name: str) -> Any:
    own, _, form = name.rpartition("_")
    if form == "usd":
        amount = getattr(record, own)
        return None if amount is None else dollars(amount)
    if form == "at":
        at_s = getattr(record, f"{own}_s", None)
        return instant(getattr(record, f"{own}_ms") // 1000 if at_s is None else at_s)
    return getattr(record, name)


class TeamShown(View, frozen=True, kw_only=True):
    """A team."""

    name: str
    limits: Limits
    weight: int
    waiting_generations: int


class AppShown(View, frozen=True, kw_only=True):
    """An app and its team."""

    team: str
    name: str
    limits: Limits
    cache: CachePolicy
    aliases: Annotated[dict[str, str], Meta(description="Its own names for models")]
    afterwards: Annotated[
        dict[str, Afterwards], Meta(description="What follows once a model has ended, by endpoint")
    ]


class KeyShown(View, frozen=True, kw_only=True):
    """A key, without its secret."""

    id: str
    kind: Kind
    team: str
    app: str
    name: str
    state: Literal["usable", "disabled", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    previous_until: Annotated[
        str | None, Meta(description="Until when the previous secret is valid as well")
    ]
    permissions: Permissions
    limits: Limits

    @classmethod
    def as_of(cls, now_s: int, record: KeyRecord) -> Self:
        """Convert a key as of `now_s`."""
        return cls.of(
            record,
            state=record.unusable(now_s) or "usable",
            previous_until=instant(record.previous_until_s),
        )


class OperatorShown(View, frozen=True, kw_only=True):
    """An operator, without their secret."""

    id: str
    role: Role
    team: str | None
    name: str
    prompts: bool
    state: Literal["usable", "disabled", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    previous_until: Annotated[
        str | None, Meta(description="Until when the previous secret is valid as well")
    ]

    @classmethod
    def as_of(cls, now_s: int, record: OperatorRecord) -> Self:
        """Convert an operator as of `now_s`."""
        return cls.of(
            record,
            team=record.team or None,
            state=record.unusable(now_s) or "usable",
            previous_until=instant(record.previous_until_s),
        )


class BudgetShown(View, frozen=True, kw_only=True):
    """A budget as it was set."""

    limit_usd: Usd
    shadow: bool
    alerts: list[Percent]


class Standing(View, frozen=True, kw_only=True):
    """An account's position in the current window; remaining = limit + raised - spent - held."""

    account: str
    window: WindowKind
    id: Annotated[str, Meta(description="Id of the current window", examples=["2026-11-22"])]
    budget: Annotated[BudgetShown | None, Meta(description="null: spending is only counted")]
    raised_usd: Usd
    spent_usd: Usd
    held_usd: Usd
    remaining_usd: Usd | None
    resets_at: str | None

    @classmethod
    def by(cls, calendar: Calendar, position: Position) -> Self:
        """Convert a position to dollars and the organisation's time zone."""
        return cls.of(
            position,
            account=position.account.name,
            window=position.window.kind,
            id=position.window.id,
            budget=None if position.budget is None else BudgetShown.of(position.budget),
            resets_at=calendar.resets_at(position.window),
        )


class StopShown(View, frozen=True, kw_only=True):
    """What is stopped, by whom, since when and why."""

    subject: Annotated[str, Meta(examples=["team:web", "model:openai/gpt-image-2"])]
    who: str
    stopped_at: str
    why: Annotated[str, Meta(description="What callers are told; empty: no reason was given")]

    @classmethod
    def by(cls, stopped: Stopped) -> Self:
        """Convert a stop."""
        return cls.of(stopped.stop, subject=stopped.subject.name)


class OverageShown(msgspec.Struct, frozen=True, kw_only=True):
    """The overage account: the total that fal billed above holds, and its limit."""

    limit_usd: Usd
    used_usd: str
    remaining_usd: Usd

    @classmethod
    def of(cls, limit: Micros, used: Micros) -> "OverageShown":
        """Convert to dollars. Corrections may make the used amount negative."""
        return cls(
            limit_usd=dollars(limit),
            used_usd=dollars(used),
            remaining_usd=dollars(max(0, limit - used)),
        )


def instant(at_s: float, timespec: str = "seconds") -> str | None:
    """Format seconds since 1970 as RFC 3339; None for 0."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec=timespec) if at_s else None


def instant_ms(at_ms: int) -> str | None:
    """Format milliseconds since 1970 as RFC 3339, with the milliseconds; None for 0."""
    return instant(at_ms / 1000, "milliseconds")
