"""`falgate usage`: what was asked for, bought, booked and saved, from the days' roll-ups."""

import json
from datetime import date, datetime

import click
from redis.asyncio import Redis
from rich.table import Table
from rich.text import Text

from falgate.cli.books import books, spread
from falgate.cli.operating import with_redis
from falgate.core.printable import escaped
from falgate.money.reports import Reports
from falgate.money.store.entries import Entries
from falgate.money.store.usage import Usage
from falgate.money.usage import (
    GROUPS,
    Group,
    Period,
    Report,
    as_csv,
    cells,
    columns,
    groups,
    share_reconciled,
    told,
)
from falgate.settings import Settings


class Day(click.ParamType[date]):
    """A local day, 2026-11-22."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Refuse what is none."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 - a day has none
        except ValueError:
            self.fail(f"{value!r} is not a day, such as 2026-11-22", param, ctx)


DAY = Day()
from_day = click.option("--from", "first", type=DAY, help="First local day, such as 2026-11-01.")
to_day = click.option("--to", "last", type=DAY, help="Last local day, included.")


def reports(settings: Settings, redis: Redis) -> Reports:
    """Everything that can be reported."""
    calendar = settings.calendar
    return Reports(Usage(redis, calendar), Entries(redis), calendar)


_ALWAYS = {"answers", "booked_usd"}
_NOTHING = {"0", "0.00"}


@click.command()
@click.option(
    "--by",
    default="team",
    show_default=True,
    help=f"Of {', '.join(GROUPS)}, any number by commas; '' for one row.",
)
@from_day
@to_day
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
@click.option("--test", is_flag=True, help="Of test keys, instead of live ones.")
def usage(*, by: str, first: date | None, last: date | None, form: str, test: bool) -> None:
    """Show answers, purchases and money, grouped as you like; by default of this month."""
    grouped = groups(by)

    async def read(settings: Settings, redis: Redis) -> tuple[Period, Report]:
        upstream = await books(redis, test=test)
        return await reports(settings, redis).usage(upstream, grouped, first, last)

    days, report = with_redis(read)
    if form == "csv":
        click.echo(as_csv(grouped, days, report), nl=False)
    elif form == "json":
        click.echo(json.dumps(told(grouped, days, report)))
    else:
        _table(grouped, days, report)


def _table(by: tuple[Group, ...], days: Period, report: Report) -> None:
    """For people: columns of which the period has nothing are left out; CSV and JSON have all."""
    total = [str(cell) for cell in cells(report.total())]
    names = [*by, *columns(())]
    shown = [
        at
        for at, name in enumerate(names)
        if at < len(by) or name in _ALWAYS or total[at] not in _NOTHING
    ]
    table = Table(title=f"{days.first} to {days.last}", show_footer=True)
    for at in shown:
        name, footer = names[at].replace("_usd", " $"), total[at]
        if at < len(by):
            footer = "" if at else "total"
            table.add_column(name, footer, overflow="fold", min_width=len(name))
        else:
            table.add_column(name, footer, justify="right", no_wrap=True)
    for row in report.rows():
        texts = [Text(escaped(str(cell))) for cell in cells(row)]
        table.add_row(*(texts[at] for at in shown))
    spread(table)
    if (share := share_reconciled(report.total())) is not None:
        click.echo(f"{float(share):.0%} of what is booked is reconciled with fal's billing")
