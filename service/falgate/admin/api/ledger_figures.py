"""/ledger/totals and /ledger/health: what entries add up to, and whether to trust them."""

from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from msgspec import Meta

from falgate.admin.api.ledger import FILTERED, Wanted
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import AdminServices
from falgate.admin.api.shapes import View, instant
from falgate.admin.api.usage import First, Last
from falgate.billing.ledger_health import LedgerHealthStore
from falgate.core.money import dollars
from falgate.money.entry_filter import Filter
from falgate.money.figures import Figures
from falgate.money.totals import booked
from falgate.money.usage import share_reconciled
from falgate.money.verification import UNREADABLE

routes = Resource("ledger")
Share = Annotated[
    str | None,
    Meta(description="Share of booked and overrun that fal's billing has confirmed, 0 to 1"),
]


class LedgerTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of a period, with its corrections, in decimal dollars; not of raises and resets."""

    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    purchases: int
    bought: int
    list_usd: str
    booked_usd: str
    overrun_usd: str
    reconciled_usd: str
    reconciled_share: Share
    without_pictures_usd: str
    saved_usd: str
    not_applied: Annotated[
        list[str], Meta(description="Parts of the filter that sums cannot be told apart by")
    ]
    undivided_days: Annotated[
        int, Meta(description="Days of which only sums by team and app are left; not included")
    ]
    undivided_usd: Annotated[
        str, Meta(description="Booked on those days, or for keys that were not told apart")
    ]


class VerifiedShown(msgspec.Struct, frozen=True, kw_only=True):
    """The last verification by a gateway."""

    at: str | None
    differences: Annotated[
        int | None, Meta(description="Counters that differ; null: an entry cannot be read")
    ]


class ReconciledShown(View, frozen=True, kw_only=True):
    """The last comparison with fal's billing."""

    at: str | None
    since_at: str | None
    until_at: str | None
    compared_until: Annotated[
        str | None, Meta(description="All jobs that were closed before were compared")
    ]
    looked: int
    corrected: int
    difference_usd: str
    pending: Annotated[int, Meta(description="Jobs that fal's billing does not decide yet")]
    drift_usd: Annotated[str, Meta(description="Billed for requests that belong to no job")]
    unmatched: Annotated[int, Meta(description="How many such requests there are")]
    strange: Annotated[bool, Meta(description="The billing has none of our requests")]


class FrozenShown(msgspec.Struct, frozen=True, kw_only=True):
    """Why purchases are stopped."""

    why: str
    since: str | None


class LedgerHealthShown(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the ledger can be trusted, and how much of this month is confirmed."""

    entries: int
    first_at: str | None
    last_at: str | None
    archived_until: str | None
    frozen: FrozenShown | None
    torn: Annotated[int, Meta(description="Operations that were executed only in part")]
    verified: VerifiedShown | None
    reconciled: ReconciledShown | None
    month_booked_usd: Annotated[str, Meta(description="This month, overrun included")]
    month_reconciled_usd: str
    month_reconciled_share: Share


@routes.get("/ledger/totals", "Get totals of the ledger", 409, lead=True, dependencies=FILTERED)
async def show_totals(
    *,
    services: NamedDependency[AdminServices],
    figures: NamedDependency[Figures],
    upstream: NamedDependency[str],
    wanted: Wanted,
    first: First = None,
    last: Last = None,
) -> LedgerTotals:
    """For a period, by default this month, from the roll-ups: at most 366 days."""
    known = True
    if wanted.key and not wanted.app:
        record, _, _ = await services.records.key(wanted.key)
        # Its part of each day's roll-up is found by its app, and that of others is not read. Keys
        # are never removed, so nothing was counted for one that is not there.
        known = record is not None and wanted.team in {"", record.team}
        if record is not None and known:
            wanted = msgspec.structs.replace(wanted, team=record.team, app=record.app)
    days, found = await figures.totals(upstream, wanted, first, last, counted=known)
    sums = found.sums
    return LedgerTotals(
        first=days.first.isoformat(),
        last=days.last.isoformat(),
        purchases=sums.get("purchases", 0),
        bought=sums.get("bought", 0),
        list_usd=dollars(sums.get("list", 0)),
        booked_usd=dollars(sums.get("billed", 0)),
        overrun_usd=dollars(sums.get("overrun", 0)),
        reconciled_usd=dollars(sums.get("reconciled", 0)),
        reconciled_share=share_reconciled(sums),
        without_pictures_usd=dollars(sums.get("without_pictures", 0)),
        saved_usd=dollars(sums.get("saved", 0)),
        not_applied=list(found.not_applied),
        undivided_days=found.undivided_days,
        undivided_usd=dollars(found.undivided),
    )


@routes.get("/ledger/health", "Get the ledger's health", 409)
async def show_health(
    figures: NamedDependency[Figures],
    ledger_healths: NamedDependency[LedgerHealthStore],
    upstream: NamedDependency[str],
) -> LedgerHealthShown:
    """Last verification and reconciliation, and what stops purchases. Nothing is added up here."""
    found = await ledger_healths.read(upstream)
    _, month = await figures.totals(upstream, Filter(), None, None)
    frozen, verified, compared = found.frozen, found.verified, found.reconciled
    differences = verified.differences if verified else 0
    return LedgerHealthShown(
        entries=found.entries,
        first_at=instant(found.first_ms // 1000),
        last_at=instant(found.last_ms // 1000),
        archived_until=instant(found.archived_ms // 1000),
        frozen=FrozenShown(why=frozen.why, since=instant(frozen.since_ms // 1000))
        if frozen
        else None,
        torn=found.torn,
        verified=VerifiedShown(
            at=instant(verified.at_ms // 1000),
            differences=None if differences == UNREADABLE else differences,
        )
        if verified
        else None,
        reconciled=ReconciledShown.of(
            compared,
            at=instant(compared.at_ms // 1000),
            compared_until=instant(found.compared_until_ms // 1000),
        )
        if compared
        else None,
        month_booked_usd=dollars(booked([month.sums])),
        month_reconciled_usd=dollars(month.sums.get("reconciled", 0)),
        month_reconciled_share=share_reconciled(month.sums),
    )
