"""`falgate ledger`: its entries, verifying them, and archiving the old ones."""

import csv
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import click
import msgspec
from redis.asyncio import Redis

from falgate.cli.books import books, table_of
from falgate.cli.ledger_books import reconcile, recover_books
from falgate.cli.operating import as_json, test_books, with_redis
from falgate.cli.usage import from_day, reports, to_day
from falgate.first_start import TEST, open_pictures
from falgate.money.archive import Archived, Archivist
from falgate.money.difference import Verified
from falgate.money.entry import COLUMNS, ENTRY_KINDS, OUTCOMES, Filter, shown
from falgate.money.reports import Raw
from falgate.money.store.archive import Archiving
from falgate.money.store.verify import verify
from falgate.pictures.archive import Archive
from falgate.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

_NEWEST = 50
_TABLE = ("at", "kind", "outcome", "team", "app", "key", "account", "model", "bought",
          "held_usd", "booked_usd", "overrun_usd", "forgiven_usd", "raised_usd",
          "job")  # fmt: skip


def filters(command: F) -> F:
    """The options that say which entries are meant."""
    for option in (
        from_day,
        to_day,
        click.option("--team", default="", help="Of this team."),
        click.option("--app", default="", help="Of this app: its name, or TEAM/APP."),
        click.option("--key", default="", help="Of this key, by its id."),
        click.option("--job", default="", help="Of this job."),
        click.option("--kind", type=click.Choice(ENTRY_KINDS), help="Of this kind."),
        click.option("--outcome", type=click.Choice(OUTCOMES), help="Closed so."),
    ):
        command = option(command)
    return command


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
@test_books
@as_json
def list_entries(
    *,
    first: date | None,
    last: date | None,
    number: int,
    test: bool,
    plain: bool,
    **wanted: str | None,
) -> None:
    """Show entries, the newest last."""

    async def read(settings: Settings, redis: Redis) -> None:
        upstream, found = await books(redis, test=test), reports(settings, redis)
        _tell_archived(await found.archived_until(upstream))
        if not number:
            await _write(found.entries(upstream, _filter(wanted), first, last), "jsonl")
            return
        rows: list[dict[str, str]] = []
        before, more = "", True
        while more:
            page, before = await found.page(
                upstream, _filter(wanted), first, last, before=before, number=number - len(rows)
            )
            rows += [shown(*each) for each in page]
            more = before != "" and len(rows) < number
        rows.reverse()
        if plain:
            click.echo(json.dumps(rows))
        else:
            used = [name for name in _TABLE if any(row.get(name) for row in rows)]
            table_of(used, [[row.get(name, "") for name in used] for row in rows])

    with_redis(read)


@ledger.command()
@filters
@click.option("--format", "form", type=click.Choice(["csv", "json", "jsonl"]), default="csv",
              show_default=True, help="jsonl: one object a line.")  # fmt: skip
@test_books
def export(
    *, first: date | None, last: date | None, form: str, test: bool, **wanted: str | None
) -> None:
    """Write entries to stdout, the oldest first, all of them if nothing else is said."""

    async def read(settings: Settings, redis: Redis) -> None:
        upstream, found = await books(redis, test=test), reports(settings, redis)
        _tell_archived(await found.archived_until(upstream))
        await _write(found.entries(upstream, _filter(wanted), first, last), form)

    with_redis(read)


@ledger.command("verify")
@test_books
@as_json
@click.pass_context
def verify_books(context: click.Context, *, test: bool, plain: bool) -> None:
    """Add all entries up and compare every counter; ends with 1 where one differs."""

    async def look(_: Settings, redis: Redis) -> Verified:
        return await verify(redis, await books(redis, test=test))

    found = with_redis(look)
    if plain:
        click.echo(json.dumps(msgspec.to_builtins(found)))
    elif found.differences:
        names = ("account", "window", "counter", "found", "ledger")
        rows = [[str(getattr(each, name)) for name in names] for each in found.differences]
        table_of(names, rows)
        click.echo("Amounts are micro-dollars. docs/operations.md says what to do.")
    else:
        click.echo(f"{found.entries} entries and {found.accounts} accounts agree")
    if found.differences:
        context.exit(1)


@ledger.command()
@as_json
def archive(*, plain: bool) -> None:
    """Move entries older than FALGATE_LEDGER_KEPT_DAYS into files in the picture store."""

    async def work(settings: Settings, redis: Redis) -> list[Archived]:
        upstreams = (await books(redis, test=False), TEST)
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

    done = with_redis(work)
    if plain:
        click.echo(json.dumps(msgspec.to_builtins(done)))
    for each in () if plain else done:
        click.echo(f"{each.path}: {each.entries} entries")
    if not done and not plain:
        click.echo("nothing is old enough")


def _filter(wanted: dict[str, str | None]) -> Filter:
    return Filter(**{name: value or "" for name, value in wanted.items()})


def _tell_archived(until: str) -> None:
    if until:
        last = datetime.fromtimestamp(int(until.partition("-")[0]) / 1000, UTC)
        words = "are in archives, under ledger/ in the picture store"
        click.echo(f"entries up to {last:%Y-%m-%d %H:%M:%S} UTC {words}", err=True)


async def _write(entries: AsyncIterator[Raw], form: str) -> None:
    """Write entries as they come: memory does not grow with how many there are."""
    out = sys.stdout
    rows = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    between = "["
    try:
        if form == "csv":
            rows.writeheader()
        async for entry, fields in entries:
            row = shown(entry, fields)
            if form == "csv":
                rows.writerow(row)
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


for books_command in (reconcile, recover_books):
    ledger.add_command(books_command)
