"""`falgate ledger`: its entries, verifying them, and archiving the old ones."""

import json
import os
import sys
import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

import click
import msgspec
from redis.asyncio import Redis

from falgate.accounts.apikey import Kind
from falgate.admin.context import upstream_of
from falgate.cli.client import Api, admin_api, lister
from falgate.cli.ledger_books import reconcile, recover_books
from falgate.cli.ledger_figures import health, totals
from falgate.cli.ledger_filters import filters
from falgate.cli.local import OF_PICTURES, with_redis
from falgate.cli.options import as_json, of_books, through, wants_json
from falgate.cli.output import Column, listed, moment, table
from falgate.first_start import TEST, known_upstreams, open_pictures
from falgate.money.archive import Archived, Archivist
from falgate.money.difference import Verified
from falgate.money.entry_shown import csv_header, csv_rows
from falgate.money.store.archive import Archiving
from falgate.money.store.verify import verify
from falgate.pictures.archive import Archive
from falgate.settings import Settings

_NEWEST = 50
_TABLE = (
    Column("at", form=moment, whole=True),
    Column("kind"),
    Column("outcome"),
    Column("team"),
    Column("app"),
    Column("key", wide=True),
    Column("account"),
    Column("model", wide=True),
    Column("bought", wide=True),
    Column("held_usd", "held $", wide=True),
    Column("booked_usd", "booked $"),
    Column("overrun_usd", "overrun $", wide=True),
    Column("forgiven_usd", "forgiven $"),
    Column("raised_usd", "raised $"),
    Column("job", short=True),
)


@click.group()
def ledger() -> None:
    """The ledger: every purchase, correction, raise and reset."""


@ledger.command("list")
@filters
@click.option(
    "--limit",
    "number",
    type=click.IntRange(0, 10_000),
    default=_NEWEST,
    show_default=True,
    help="Only the newest so many; 0: all, one a line.",
)
@of_books
@lister()
def list_entries(
    api: Api, *, first: date | None, last: date | None, number: int, **wanted: Any
) -> None:
    """Show entries, the newest last."""
    query = {**wanted, "from": first, "to": last}
    _tell_archived(api, query)
    if not number:
        _write(api.each("ledger", order="oldest", **query), "jsonl")
        return
    rows = api.items("ledger", number=number, **query)[::-1]
    listed(rows, [each for each in _TABLE if any(row.get(each.path) for row in rows)])


@ledger.command()
@filters
@click.option("--format", "form", type=click.Choice(["csv", "json", "jsonl"]), default="csv",
              show_default=True, help="jsonl: one object a line.")  # fmt: skip
@of_books
@through
def export(*, first: date | None, last: date | None, form: str, **wanted: Any) -> None:
    """Write entries to stdout, the oldest first, all of them if nothing else is said."""
    query = {**wanted, "from": first, "to": last}
    with admin_api() as api:
        _tell_archived(api, query)
        _write(api.each("ledger", order="oldest", **query), form)


@ledger.command("verify")
@of_books
@as_json
@click.pass_context
def verify_books(context: click.Context, *, books: Kind) -> None:
    """Add all entries up and compare every counter; ends with 1 where one differs."""

    async def look(_: Settings, redis: Redis) -> Verified:
        return await verify(redis, upstream_of(await known_upstreams(redis), books))

    found = with_redis(look)
    if wants_json():
        click.echo(json.dumps(msgspec.to_builtins(found)))
    elif found.differences:
        names = ("account", "window", "counter", "found", "ledger")
        rows = [[str(getattr(each, name)) for name in names] for each in found.differences]
        table(names, rows)
        click.echo("Amounts are micro-dollars. docs/operations.md says what to do.")
    else:
        click.echo(f"{found.entries} entries and {found.accounts} accounts agree")
    if found.differences:
        context.exit(1)


@ledger.command()
@as_json
def archive() -> None:
    """Move entries older than FALGATE_LEDGER_KEPT_DAYS into files in the picture store."""

    async def work(settings: Settings, redis: Redis) -> list[Archived]:
        upstreams = (upstream_of(await known_upstreams(redis), "live"), TEST)
        archivist = Archivist(
            Archiving(redis, uuid.uuid4().hex),
            Archive(open_pictures(settings)),
            upstreams,
            kept_days=settings.ledger_kept_days,
        )
        done: list[Archived] = []
        for upstream in upstreams:
            found = await archivist.archive(upstream)
            if found is None:
                raise click.ClickException("another instance is archiving now; ask again later")
            done += found
        return done

    done = with_redis(work, *OF_PICTURES, "ledger_kept_days")
    if wants_json():
        click.echo(json.dumps(msgspec.to_builtins(done)))
        return
    for each in done:
        click.echo(f"{each.path}: {each.entries} entries")
    if not done:
        click.echo("nothing is old enough")


def _tell_archived(api: Api, query: dict[str, Any]) -> None:
    if until := api.get("ledger", limit=1, **query)["archived_until"]:
        words = "are in archives, under ledger/ in the picture store"
        click.echo(f"entries up to {moment(until)} {words}", err=True)


def _write(entries: Iterable[dict[str, Any]], form: str) -> None:
    """Write entries as they come: memory does not grow with how many there are."""
    out = sys.stdout
    between = "["
    try:
        if form == "csv":
            out.write(csv_header())
        for row in entries:
            if form == "csv":
                out.write(csv_rows([row]))
            elif form == "jsonl":
                out.write(json.dumps(row) + "\n")
            else:
                out.write(between + json.dumps(row))
                between = ",\n"
        if form == "json":
            out.write("[]\n" if between == "[" else "]\n")
        out.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` does; nothing more is to be flushed to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


for books_command in (reconcile, recover_books, totals, health):
    ledger.add_command(books_command)
