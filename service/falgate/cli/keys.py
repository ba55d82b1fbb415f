"""`falgate keys`: make, list and revoke the keys of apps."""

import asyncio
import json
import os
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from falgate import settings
from falgate.core import apikey
from falgate.core.apikey import KeyRecord, Kind
from falgate.opening import open_redis
from falgate.store.apikeys import ApiKeys

T = TypeVar("T")

_UPSTREAM = frozenset({"FALGATE_UPSTREAM_URL", "FALGATE_FAL_KEY", "FAL_KEY"})


class Name(click.ParamType[str]):
    """A word of letters, digits, dots, dashes and underscores, 64 characters at most."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse any other: it becomes a metric's label and stands in the ledger."""
        if not re.fullmatch(r"[\w.-]{1,64}", value):
            self.fail("letters, digits, dots, dashes and underscores, 64 at most", param, ctx)
        return value


NAME = Name()

as_json = click.option("--json", "plain", is_flag=True, help="JSON instead of a table.")


def mint(kind: Literal["live", "test", "admin"]) -> str:
    """A new key, from the system's randomness."""
    return apikey.mint(
        kind,
        secrets.token_bytes(apikey.ID_BYTES),
        secrets.token_bytes(apikey.SECRET_BYTES),
    )


async def issue(apikeys: ApiKeys, *, kind: Kind, team: str, app: str, name: str) -> str:
    """Make and store a key; what is returned can never be shown again.

    Raises:
        Unavailable: Without Redis.
    """
    key = mint(kind)
    presented = apikey.present(key)
    assert presented is not None
    record = KeyRecord(
        id=presented.id,
        kind=kind,
        digest=presented.digest,
        team=team,
        app=app,
        name=name,
        created_s=await apikeys.now_s(),
    )
    await apikeys.add(record)
    return key


@click.group()
def keys() -> None:
    """Keys of apps. The settings say where Redis is, as for `falgate serve`."""


@keys.command()
@click.option("--team", default="default", type=NAME, help="Who answers for its spending.")
@click.option("--app", default="default", type=NAME, help="Who uses it.")
@click.option("--name", default="", help="A note for people.")
@click.option("--test", is_flag=True, help="A test key: it only ever reaches the sandbox.")
@as_json
def create(*, team: str, app: str, name: str, test: bool, plain: bool) -> None:
    """Make a key and print it, this once."""
    kind: Kind = "test" if test else "live"
    key = _with_keys(lambda apikeys: issue(apikeys, kind=kind, team=team, app=app, name=name))
    click.echo(json.dumps({"key": key}) if plain else key)


@keys.command("list")
@as_json
def list_keys(*, plain: bool) -> None:
    """Show all keys, without their secrets."""
    records = _with_keys(lambda apikeys: apikeys.all())
    if plain:
        shown = [{**msgspec.structs.asdict(record)} for record in records]
        for fields in shown:
            del fields["digest"]
        click.echo(json.dumps(shown))
        return
    others = ("kind", "team", "app", "name", "made", "revoked")
    table = Table(Column("id", no_wrap=True), *(Column(each, overflow="fold") for each in others))
    for record in records:
        made, revoked = _date(record.created_s), _date(record.revoked_s)
        told = (record.id, record.kind, record.team, record.app, record.name, made, revoked)
        # Plain text: brackets in a name are no mark-up.
        table.add_row(*map(Text, told))
    Console().print(table)


@keys.command()
@click.argument("key_id")
@as_json
def revoke(key_id: str, *, plain: bool) -> None:
    """End the use of a key, by its id or all of it, on every instance at once."""
    presented = apikey.present(key_id)
    key_id = presented.id if presented else key_id

    async def end(apikeys: ApiKeys) -> bool:
        return await apikeys.revoke(key_id, await apikeys.now_s())

    if not _with_keys(end):
        # Not quoted: it may be a secret with a slip of the mouse.
        raise click.ClickException("there is no such key; `falgate keys list` shows all of them")
    click.echo(json.dumps({"revoked": key_id}) if plain else f"{key_id} is revoked")


def _with_keys(use: Callable[[ApiKeys], Awaitable[T]]) -> T:
    # Whatever is bought from, keys are no matter of it.
    env = {name: value for name, value in os.environ.items() if name not in _UPSTREAM}
    chosen = settings.read(env, {"upstream_url": settings.SANDBOX})
    data = Path(chosen.data_dir).absolute()
    if not chosen.redis_url and not (data / "redis").is_dir():
        raise settings.SettingsWrong(
            f"there are no keys in {data}: give FALGATE_DATA_DIR or FALGATE_REDIS_URL as the "
            "gateway has it, and start that once"
        )

    async def used() -> T:
        async with open_redis(chosen) as redis:
            return await use(ApiKeys(redis))

    return asyncio.run(used())


def _date(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds") if at_s else ""
