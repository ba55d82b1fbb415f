"""JSON representations of admin records, for REST and for `--json` of the commands.

Amounts are decimal US dollars in strings, times are RFC 3339.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.accounts.cache_settings import CachePolicy
from falgate.accounts.directory import App, Team
from falgate.accounts.limits import Limits
from falgate.core.calendar import Calendar
from falgate.core.calendar import Kind as WindowKind
from falgate.core.change import Audited
from falgate.core.money import USD, Micros, dollars
from falgate.money.budget import Budget, Percent, Position

Usd = Annotated[
    str,
    Meta(
        pattern=USD,
        description="US dollars, decimal",
        examples=["12.50"],
    ),
]


class TeamShown(msgspec.Struct, frozen=True, kw_only=True):
    """A team."""

    name: str
    limits: Limits
    weight: int
    waiting_generations: int

    @classmethod
    def of(cls, name: str, team: Team) -> "TeamShown":
        """Convert a team."""
        return cls(
            name=name,
            limits=team.limits,
            weight=team.weight,
            waiting_generations=team.waiting_generations,
        )


class AppShown(msgspec.Struct, frozen=True, kw_only=True):
    """An app and its team."""

    team: str
    name: str
    limits: Limits
    cache: CachePolicy

    @classmethod
    def of(cls, name: str, app: App) -> "AppShown":
        """Convert an app named "team/app"."""
        team, _, own = name.partition("/")
        return cls(team=team, name=own, limits=app.limits, cache=app.cache)


class KeyShown(msgspec.Struct, frozen=True, kw_only=True):
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
    def of(cls, record: KeyRecord, now_s: int) -> "KeyShown":
        """Convert a key as of `now_s`."""
        shown: KeyShown = msgspec.convert(
            {
                **{name: getattr(record, name) for name in ("id", "kind", "team", "app", "name")},
                "state": record.unusable(now_s) or "usable",
                "created_at": instant(record.created_s),
                "expires_at": instant(record.expires_s),
                "revoked_at": instant(record.revoked_s),
                "previous_until": instant(record.previous_until_s),
                "permissions": record.permissions,
                "limits": record.limits,
            },
            cls,
        )
        return shown


class BudgetShown(msgspec.Struct, frozen=True, kw_only=True):
    """A budget as it was set."""

    limit_usd: Usd
    shadow: bool
    alerts: list[Percent]

    @classmethod
    def of(cls, budget: Budget) -> "BudgetShown":
        """Convert a budget, with its limit in dollars."""
        return cls(
            limit_usd=dollars(budget.limit), shadow=budget.shadow, alerts=list(budget.alerts)
        )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
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
    def of(cls, position: Position, calendar: Calendar) -> "Standing":
        """Convert a position to dollars and the organisation's time zone."""
        remaining = position.remaining
        return cls(
            account=position.account.name,
            window=position.window.kind,
            id=position.window.id,
            budget=None if position.budget is None else BudgetShown.of(position.budget),
            raised_usd=dollars(position.raised),
            spent_usd=dollars(position.spent),
            held_usd=dollars(position.held),
            remaining_usd=None if remaining is None else dollars(remaining),
            resets_at=calendar.resets_at(position.window),
        )


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    """An account whose spending is counted."""

    account: Annotated[str, Meta(examples=["team:web"])]


class HouseShown(msgspec.Struct, frozen=True, kw_only=True):
    """The overage account: the total that fal billed above holds, and its limit."""

    limit_usd: Usd
    used_usd: str
    remaining_usd: Usd

    @classmethod
    def of(cls, limit: Micros, used: Micros) -> "HouseShown":
        """Convert to dollars. Corrections may make the used amount negative."""
        return cls(
            limit_usd=dollars(limit),
            used_usd=dollars(used),
            remaining_usd=dollars(max(0, limit - used)),
        )


class AuditShown(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the audit log. Records appear as stored, with amounts in micro-USD."""

    id: str
    at: str
    who: str
    action: str
    subject: str
    before: Any
    after: Any
    why: str

    @classmethod
    def of(cls, line: Audited) -> "AuditShown":
        """Convert a line, with its records decoded."""
        milliseconds = int(line.id.partition("-")[0])
        return cls(
            id=line.id,
            at=datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds"),
            who=line.who,
            action=line.action,
            subject=line.subject,
            before=msgspec.json.decode(line.before) if line.before else None,
            after=msgspec.json.decode(line.after) if line.after else None,
            why=line.why,
        )


def instant(at_s: int) -> str | None:
    """Format seconds since 1970 as RFC 3339; None for 0."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds") if at_s else None
