"""`falgate overview`: spend, savings, purchases under way and trouble, at a glance."""

from typing import Any

import click

from falgate.cli.client import Api, lister
from falgate.cli.options import of_books, wants_json
from falgate.cli.output import Column, listed, say, usd, word

_SPEND = (
    Column("standing.account", whole=True),
    Column("standing.window"),
    Column("standing.spent_usd", "spent $"),
    Column("standing.held_usd", "held $"),
    Column("limit_usd", "limit $"),
    Column("standing.remaining_usd", "left $"),
    Column("forecast_usd", "forecast $"),
)
_TEAMS = (
    Column("team"),
    Column("booked_usd", "booked this month $"),
    Column("today_usd", "today $"),
    Column("saved_usd", "saved $"),
    Column("purchases"),
)


@click.command()
@click.option("--team", help="Of this team, instead of the organisation.")
@click.option("--top", type=click.IntRange(0, 100), default=10, show_default=True,
              help="How many teams.")  # fmt: skip
@of_books
@lister(pictures=True)
def overview(api: Api, *, top: int, **wanted: Any) -> None:
    """Show today's and this month's spend, what the cache saved, and what is under way."""
    found = api.get("overview", top=top, **wanted)
    if wants_json():
        say(found, "")
        return
    click.echo(_words(found))
    listed(found["spend"], _SPEND)
    if found["teams"]:
        listed(found["teams"], _TEAMS)


def _words(found: dict[str, Any]) -> str:
    under_way, health = found["purchases"], found["health"]
    places = (health[name] for name in ("redis", "store", "upstream", "falgate"))
    slots = f"{word(under_way['slots_used'])} of {word(under_way['slots_limit'])} slots"
    lines = {
        "today": _activity(found["today"]),
        "month": _activity(found["month"]),
        "jobs": f"{under_way['open']} under way, {word(under_way['waiting'])} waiting, {slots}",
        "health": "; ".join(filter(None, places)) or "no trouble",
        "buying": f"stopped: {found['frozen']}" if found["frozen"] else "goes on",
    }
    if found["stops"]:
        lines["stops"] = ", ".join(each["subject"] for each in found["stops"])
    return "\n".join(f"{name:10}{words}" for name, words in lines.items())


def _activity(sums: dict[str, Any]) -> str:
    share = sums["hit_share"]
    hits = "" if share is None else f", {float(share):.0%} without a purchase"
    return (
        f"{sums['answers']} answers{hits}; {sums['purchases']} purchases, "
        f"{usd(sums['booked_usd'])} booked, {usd(sums['saved_usd'])} saved"
    )
