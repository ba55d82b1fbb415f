"""`falgate keys`: make, list, change, rotate and revoke the keys of apps."""

import json
import secrets
from collections.abc import Callable
from typing import Any, Literal

import click
from msgspec.structs import replace

from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.admin.api.shapes import KeyShown
from falgate.admin.keys import OVERLAP_S, Made
from falgate.admin.service import AdminService
from falgate.cli.keytimes import DURATION, EXPIRY
from falgate.cli.operating import as_json, operate, tabulate, tell
from falgate.first_start import FIRST

_COLUMNS = ("id", "kind", "team", "app", "name", "state", "created_at", "expires_at")
_PERMITTED = {
    "models": "A model that it may use; may be given again. None: any.",
    "qualities": "A quality that it may ask for; may be given again. None: any.",
    "sizes": "A size that it may ask for; may be given again. None: any.",
    "networks": "Addresses that may use it, such as 10.0.0.0/8; may be given again. None: any.",
}
_SWITCHED = {
    "derive": "Whether it may be answered with a JPEG or WebP made here of a PNG.",
    "fresh": "Whether it may buy pictures anew that are there already.",
}
_OPTIONS = {"models": "--model", "qualities": "--quality", "sizes": "--size"}


def _permissions(command: Callable[..., None]) -> Callable[..., None]:
    """Options for what a key may do."""
    for field, meaning in _PERMITTED.items():
        option = _OPTIONS.get(field, "--network")
        command = click.option(option, field, multiple=True, help=meaning)(command)
    for field, meaning in _SWITCHED.items():
        command = click.option(f"--{field}/--no-{field}", field, default=None, help=meaning)(
            command
        )
    return click.option(
        "--pictures-max", type=click.IntRange(0, 1000), help="In one request; 0: any number."
    )(command)


@click.group()
def keys() -> None:
    """Keys of apps. The settings say where Redis is, as for `falgate serve`."""


@keys.command()
@click.option("--team", default=FIRST, show_default=True, help="Who answers for its spending.")
@click.option("--app", default=FIRST, show_default=True, help="Who uses it, within the team.")
@click.option("--name", default="", help="A note for people.")
@click.option("--test", is_flag=True, help="A test key: it only ever reaches the sandbox.")
@click.option(
    "--expires",
    "expires_s",
    type=EXPIRY,
    default=0,
    help="2027-01-31, 2027-01-31T12:00+01:00 (UTC unless it says), or never.",
)
@_permissions
@as_json
def create(
    *, team: str, app: str, name: str, test: bool, expires_s: int, plain: bool, **permitted: Any
) -> None:
    """Make a key and print it, this once."""
    kind: Kind = "test" if test else "live"
    given = {field: value for field, value in permitted.items() if value is not None}

    async def made(admin: AdminService) -> Made:
        return await admin.keys.create(
            f"{team}/{app}",
            kind=kind,
            name=name,
            expires_s=expires_s,
            permissions=Permissions(**given),
        )

    tell_key(operate(made), plain=plain)


@keys.command("list")
@click.option("--of", default="", metavar="TEAM[/APP]", help="Only this team's or this app's.")
@as_json
def list_keys(*, of: str, plain: bool) -> None:
    """Show all keys, without their secrets."""

    async def listed(admin: AdminService) -> list[KeyShown]:
        now_s = await admin.now_s()
        return [KeyShown.of(record, now_s) for record in await admin.keys.all(of)]

    tabulate(operate(listed), _COLUMNS, plain=plain)


@keys.command()
@click.argument("key_id")
@as_json
def show(*, key_id: str, plain: bool) -> None:
    """Show a key and what it may do, without its secret."""

    async def shown(admin: AdminService) -> KeyShown:
        return KeyShown.of(await admin.keys.show(_id(key_id)), await admin.now_s())

    more = (f"permissions.{name}" for name in Permissions.__struct_fields__)
    tabulate([operate(shown)], (*_COLUMNS, *more), plain=plain)


@keys.command()
@click.argument("key_id")
@click.option("--name", help="A note for people.")
@click.option("--expires", "expires_s", type=EXPIRY, help="As for `create`.")
@_permissions
@click.option("--everything", is_flag=True, help="It may do what is not given here.")
@as_json
def change(
    *,
    key_id: str,
    name: str | None,
    expires_s: int | None,
    everything: bool,
    plain: bool,
    **permitted: Any,
) -> None:
    """Change a key's note, its expiry or what it may do; what is not given stays."""
    given = {field: value for field, value in permitted.items() if value not in (None, ())}

    def changed(was: KeyRecord) -> KeyRecord:
        permissions = Permissions() if everything else was.permissions
        return replace(
            was,
            name=was.name if name is None else name,
            expires_s=was.expires_s if expires_s is None else expires_s,
            permissions=replace(permissions, **given),
        )

    tell(_changed(key_id, changed), "it is changed", plain=plain)


@keys.command()
@click.argument("key_id")
@as_json
def disable(*, key_id: str, plain: bool) -> None:
    """Stop the use of a key until `falgate keys enable`, on every instance at once."""
    shown = _changed(key_id, lambda was: replace(was, disabled=True))
    tell(shown, f"{shown.id} is disabled", plain=plain)


@keys.command()
@click.argument("key_id")
@as_json
def enable(*, key_id: str, plain: bool) -> None:
    """Let a disabled key be used again."""
    shown = _changed(key_id, lambda was: replace(was, disabled=False))
    tell(shown, f"{shown.id} is {shown.state}", plain=plain)


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap",
    "overlap_s",
    type=DURATION,
    default=OVERLAP_S,
    help="How long the present secret stays good: 0, 90s, 30m, 24h (unless given), 7d.",
)
@as_json
def rotate(*, key_id: str, overlap_s: int, plain: bool) -> None:
    """Give a key a new secret and print it, this once."""
    tell_key(operate(lambda admin: admin.keys.rotate(_id(key_id), overlap_s)), plain=plain)


@keys.command()
@click.argument("key_id")
@as_json
def revoke(*, key_id: str, plain: bool) -> None:
    """End the use of a key for ever, by its id or all of it, on every instance at once."""
    record = operate(lambda admin: admin.keys.revoke(_id(key_id)))
    tell({"revoked": record.id}, f"{record.id} is revoked", plain=plain)


@keys.command()
@as_json
def admin(*, plain: bool) -> None:
    """Make a key for FALGATE_ADMIN_KEY and print it. It is kept nowhere."""
    made = mint("admin")
    tell({"key": made}, made, plain=plain)


def mint(kind: Literal["live", "test", "admin"]) -> str:
    """A new key, from the system's randomness."""
    return apikey.mint(
        kind,
        secrets.token_bytes(apikey.ID_BYTES),
        secrets.token_bytes(apikey.SECRET_BYTES),
    )


def tell_key(made: Made, *, plain: bool) -> None:
    """Print a new key; whatever else is to be known of it can be looked up."""
    click.echo(json.dumps({"key": made.key, "id": made.record.id}) if plain else made.key)


def _id(text: str) -> str:
    """A key's id, where all of the key may have been given."""
    presented = apikey.present(text)
    return presented.id if presented else text


def _changed(key_id: str, how: Callable[[KeyRecord], KeyRecord]) -> KeyShown:
    async def changed(admin: AdminService) -> KeyShown:
        record = await admin.keys.change(_id(key_id), how)
        return KeyShown.of(record, await admin.now_s())

    return operate(changed)
