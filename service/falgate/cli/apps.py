"""`falgate apps`: make, list and remove the apps of teams."""

from typing import Any, get_args

import click
from msgspec.structs import replace

from falgate.accounts.cache_settings import (
    OVERRIDES,
    SECONDS_MAX,
    Freshness,
    Identical,
    Override,
    Scope,
)
from falgate.accounts.directory import App
from falgate.admin.api.shapes import AppShown
from falgate.admin.service import AdminService
from falgate.cli.operating import as_json, operate, tabulate, tell
from falgate.core.problems import Invalid

_COLUMNS = (
    "name",
    "team",
    "limits.requests_per_second",
    "limits.generations_per_minute",
    "limits.generations_at_once",
)


_CACHE = (
    "name",
    "team",
    "cache.scope",
    "cache.max_age_s",
    "cache.freshness",
    "cache.derive",
    "cache.identical",
    "cache.callers_may",
    "cache.ignore_freshness",
    "cache.keep_prompts",
)


@click.group()
def apps() -> None:
    """Apps, each named within its team: web/shop. `falgate limits set app:web/shop` limits one."""


@apps.command()
@click.argument("name")
@as_json
def create(*, name: str, plain: bool) -> None:
    """Make an app, TEAM/APP."""
    app = operate(lambda admin: admin.apps.create(name, App()))
    tell(AppShown.of(name, app), f"app {name} is made", plain=plain)


@apps.command("list")
@click.option("--team", default="", help="Only this team's.")
@as_json
def list_apps(*, team: str, plain: bool) -> None:
    """Show all apps."""
    found = operate(lambda admin: admin.apps.all(team))
    tabulate([AppShown.of(name, app) for name, app in found.items()], _COLUMNS, plain=plain)


@apps.command()
@click.argument("name")
@as_json
def show(*, name: str, plain: bool) -> None:
    """Show one app, TEAM/APP."""
    shown = AppShown.of(name, operate(lambda admin: admin.apps.show(name)))
    if plain:
        tabulate([shown], (), plain=True)
        return
    tabulate([shown], _COLUMNS, plain=False)
    tabulate([shown], _CACHE, plain=False)


@apps.command()
@click.argument("name")
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
    help="What a request means that says nothing of it.",
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
@as_json
def cache(*, name: str, callers_may: str | None, plain: bool, **given: Any) -> None:
    """Set how an app uses the cache; what is not given stays. Prompts that are kept stay kept."""
    if callers_may is not None:
        given["callers_may"] = _overrides(callers_may)
    ways = {name: value for name, value in given.items() if value is not None}
    app = operate(
        lambda admin: admin.apps.change(
            name, lambda was: replace(was, cache=replace(was.cache, **ways))
        )
    )
    tabulate([AppShown.of(name, app)], _CACHE, plain=plain)


def _overrides(words: str) -> tuple[Override, ...]:
    given = {word.strip() for word in words.split(",") if word.strip()} - {"none"}
    if unknown := sorted(given - set(OVERRIDES)):
        raise Invalid(f"{unknown[0]!r} is none of {', '.join(OVERRIDES)}")
    return tuple(each for each in OVERRIDES if each in given)


@apps.command()
@click.argument("name")
@as_json
def remove(*, name: str, plain: bool) -> None:
    """Remove an app whose keys are revoked. What it spent stays in the ledger."""

    async def gone(admin: AdminService) -> None:
        await admin.apps.remove(name)

    operate(gone)
    tell({"removed": name}, f"app {name} is removed", plain=plain)
