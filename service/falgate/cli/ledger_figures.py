"""`falgate ledger totals` and `health`: what the ledger adds up to, and whether to trust it."""

from datetime import date
from typing import Any

import click

from falgate.cli.client import Api, operator
from falgate.cli.ledger_filters import filters
from falgate.cli.options import of_books
from falgate.cli.output import moment, say, usd, word


@click.command()
@filters
@of_books
@operator()
def totals(api: Api, *, first: date | None, last: date | None, **wanted: Any) -> None:
    """Show what the roll-ups add up to, by default of this month: at once, on any ledger."""
    found = api.get("ledger", "totals", **{"from": first, "to": last, **wanted})
    lines = {
        "period": f"{found['from']} to {found['to']}",
        "purchases": f"{found['purchases']}, {found['bought']} pictures",
        "list": usd(found["list_usd"]),
        "booked": f"{usd(found['booked_usd'])}, and {usd(found['overrun_usd'])} above holds",
        "reconciled": f"{usd(found['reconciled_usd'])}, {_share(found['reconciled_share'])}",
        "without": f"{usd(found['without_pictures_usd'])} for no pictures",
        "saved": usd(found["saved_usd"]),
    }
    if found["undivided_usd"] not in {"", "0.00"}:
        lines["unknown"] = f"{usd(found['undivided_usd'])} that may belong to it"
    if found["not_applied"]:
        lines["ignored"] = f"{', '.join(found['not_applied'])}: roll-ups do not have it"
    say(found, _aligned(lines))


@click.command()
@of_books
@operator()
def health(api: Api, **wanted: Any) -> None:
    """Show when the ledger was last verified and compared with fal's billing, and the results."""
    found = api.get("ledger", "health", **wanted)
    verified, compared, frozen = found["verified"], found["reconciled"], found["frozen"]
    lines = {
        "entries": f"{found['entries']}, from {moment(found['first_at'])} to "
        f"{moment(found['last_at'])}",
        "archived": f"until {moment(found['archived_until'])}" if found["archived_until"] else "",
        "buying": f"stopped since {moment(frozen['since'])}: {frozen['why']}"
        if frozen
        else "goes on",
        "torn": word(found["torn"]) if found["torn"] else "",
        "verified": _verified(verified) if verified else "never by a gateway",
        "compared": _compared(compared) if compared else "never with fal's billing",
        "month": f"{usd(found['month_booked_usd'])} booked, "
        f"{_share(found['month_reconciled_share'])}",
    }
    say(found, _aligned({name: words for name, words in lines.items() if words}))


def _verified(found: dict[str, Any]) -> str:
    differences = found["differences"]
    if differences is None:
        return f"{moment(found['at'])}: an entry cannot be read, see `falgate ledger verify`"
    return f"{moment(found['at'])}: {differences} counters differ"


def _compared(found: dict[str, Any]) -> str:
    return (
        f"{moment(found['at'])}: {found['looked']} jobs, {found['corrected']} corrected by "
        f"{usd(found['difference_usd'])}, {found['pending']} undecided; billed for "
        f"{found['unmatched']} requests that are not ours: {usd(found['drift_usd'])}"
    )


def _share(share: str | None) -> str:
    return "nothing to confirm" if share is None else f"{float(share):.0%} confirmed by fal"


def _aligned(lines: dict[str, str]) -> str:
    return "\n".join(f"{name:12}{words}" for name, words in lines.items())
