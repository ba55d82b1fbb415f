"""`falgate apps`: make, list and remove the apps of teams."""

from typing import Any, get_args

import click

from falgate.accounts.cache_settings import (
    OVERRIDES,
    SECONDS_MAX,
    Freshness,
    Identical,
    Override,
    Scope,
)
from falgate.cli.client import Api, changer, lister, operator
from falgate.cli.options import APP, AppName, confirm, confirmed, given
from falgate.cli.output import Column, duration, limit_columns, listed, say, shown
from falgate.core.problems import Invalid

_NAMES = (Column("team", whole=True), Column("name", "app", whole=True))
_COLUMNS = (
    *_NAMES,
    *limit_columns("limits."),
)
_CACHE = (
    Column("cache.scope"),
    Column("cache.max_age_s", "max age", duration),
    Column("cache.freshness"),
    Column("cache.derive"),
    Column("cache.identical"),
    Column("cache.callers_may"),
    Column("cache.ignore_freshness"),
    Column("cache.keep_prompts"),
)
_app = click.argument("name", type=APP, metavar="TEAM/APP")


@click.group()
def apps() -> None:
    """Apps, each named within its team: web/shop. `falgate limits set app:web/shop` limits one."""


@apps.command()
@_app
@changer()
def create(api: Api, *, name: AppName) -> None:
    """Make an app, TEAM/APP."""
    made = api.post("teams", name.team, "apps", body={"name": name.app})
    say(made, f"app {name} is made")


@apps.command("list")
@click.option("--team", default="", help="Only this team's.")
@lister()
def list_apps(api: Api, *, team: str) -> None:
    """Show all apps."""
    listed(api.items(*(("teams", team, "apps") if team else ("apps",))), _COLUMNS)


@apps.command()
@_app
@operator()
def show(api: Api, *, name: AppName) -> None:
    """Show one app, TEAM/APP."""
    shown(api.get(*name.path), (*_COLUMNS, *_CACHE))


@apps.command()
@_app
@click.option("--scope", type=click.Choice(get_args(Scope)), help="Who shares its pictures.")
@click.option(
    "--max-age",
    "max_age_s",
    type=click.IntRange(0, SECONDS_MAX),
    metavar="SECONDS",
    help="Its answers have no older pictures; 0: as old as they are kept.",
)
@click.option(
    "--freshness",
    type=click.Choice(get_args(Freshness)),
    help="Cache behaviour when a request sends no Cache-Control.",
)
@click.option("--derive/--no-derive", default=None, help="A JPEG or WebP made here of a PNG.")
@click.option(
    "--identical",
    type=click.Choice(get_args(Identical)),
    help="What equal requests get that are under way at once: the same pictures, or each its own.",
)
@click.option(
    "--callers-may",
    metavar="WORDS",
    help=f"What callers may change of that, by commas: {', '.join(OVERRIDES)}; or none.",
)
@click.option(
    "--ignore-freshness/--heed-freshness",
    default=None,
    help="What callers say by no-cache, no-store and max-age.",
)
@click.option(
    "--keep-prompts/--hash-prompts", default=None, help="With the pictures, for the gallery."
)
@changer()
def cache(api: Api, *, name: AppName, callers_may: str | None, **options: Any) -> None:
    """Set how an app uses the cache; what is not given stays. Prompts that are kept stay kept."""
    ways = given(options)
    if callers_may is not None:
        ways["callers_may"] = _overrides(callers_may)
    shown(api.patch(*name.path, body={"cache": ways}), (*_NAMES, *_CACHE))


def _overrides(words: str) -> tuple[Override, ...]:
    named = {word.strip() for word in words.split(",") if word.strip()} - {"none"}
    if unknown := sorted(named - set(OVERRIDES)):
        raise Invalid(f"{unknown[0]!r} is none of {', '.join(OVERRIDES)}")
    return tuple(each for each in OVERRIDES if each in named)


@apps.command()
@_app
@confirmed
@changer()
def remove(api: Api, *, name: AppName, yes: bool) -> None:
    """Remove an app whose keys are revoked. What it spent stays in the ledger."""
    confirm(f"Removing app {name}", yes=yes)
    api.delete(*name.path)
    say({"removed": str(name)}, f"app {name} is removed")
