"""`falgate keys`: make, list, change, rotate and revoke the keys of apps."""

import secrets
from collections.abc import Callable
from typing import Any

import click
import msgspec

from falgate.accounts import apikey
from falgate.accounts.apikey import Permissions
from falgate.accounts.directory import FIRST
from falgate.cli.client import Api, changer, lister, operator
from falgate.cli.options import (
    DURATION,
    EXPIRY,
    as_json,
    confirm,
    confirmed,
    given,
)
from falgate.cli.output import Column, limit, listed, moment, say, shown
from falgate.core.problems import NotFound

_COLUMNS = (
    Column("id", whole=True),
    Column("kind"),
    Column("team"),
    Column("app"),
    Column("name"),
    Column("state"),
    Column("created_at", "created", moment, wide=True),
    Column("expires_at", "expires", moment),
)
_MORE = (
    Column("previous_until", form=moment),
    Column("permissions.models"),
    Column("permissions.qualities"),
    Column("permissions.sizes"),
    Column("permissions.pictures_max", "pictures at most", limit),
    Column("permissions.inputs_max", "inputs at most", limit),
    Column("permissions.input_bytes_max", "bytes of inputs at most", limit),
    Column("permissions.networks"),
    Column("permissions.fresh"),
    Column("permissions.derive"),
)
_PERMITTED = {
    "models": "A model that it may use, or a family, openai/gpt-image-2.5/*; may be given again. "
    "None: any.",
    "qualities": "A quality that it may ask for; may be given again. None: any.",
    "sizes": "A size that it may ask for; may be given again. None: any.",
    "networks": "Addresses that may use it, such as 10.0.0.0/8; may be given again. None: any.",
}
_SWITCHED = {
    "derive": "Whether it may be answered with a JPEG or WebP made here of a PNG.",
    "fresh": "Whether it may buy pictures anew that are there already.",
}
_LIMITED = (
    ("--input-bytes-max", 10**12, "Bytes of all input pictures of a request; 0: any number."),
    ("--inputs-max", 1000, "Input pictures in one request; 0: any number."),
    ("--pictures-max", 1000, "In one request; 0: any number."),
)
_OPTIONS = {"models": "--model", "qualities": "--quality", "sizes": "--size"}


def permissions(command: Callable[..., None]) -> Callable[..., None]:
    """Options for what a key may do."""
    for field, meaning in _PERMITTED.items():
        option = _OPTIONS.get(field, "--network")
        command = click.option(option, field, multiple=True, help=meaning)(command)
    for field, meaning in _SWITCHED.items():
        command = click.option(f"--{field}/--no-{field}", field, default=None, help=meaning)(
            command
        )
    for option, most, meaning in _LIMITED:
        command = click.option(option, type=click.IntRange(0, most), help=meaning)(command)
    return command


@click.group()
def keys() -> None:
    """Keys of apps. A key is shown once, when it is made."""


@keys.command()
@click.option("--team", help=f"Who answers for its spending.  [default: {FIRST}]")
@click.option("--app", default=FIRST, show_default=True, help="Who uses it: APP, or TEAM/APP.")
@click.option("--name", default="", help="A note for people.")
@click.option("--test", is_flag=True, help="A test key: it only ever reaches the sandbox.")
@click.option(
    "--expires",
    type=EXPIRY,
    default="never",
    help="2027-01-31, 2027-01-31T12:00+01:00 (UTC unless it says), or never.",
)
@permissions
@changer()
def create(
    api: Api, *, team: str | None, app: str, name: str, test: bool, expires: str, **permitted: Any
) -> None:
    """Make a key and print it, this once."""
    of_team, slash, of_app = app.rpartition("/")
    if slash and team not in (None, of_team):
        raise click.UsageError(f"--team {team} and --app {app} name two teams")
    body = {
        "team": of_team or team or FIRST,
        "app": of_app,
        "kind": "test" if test else "live",
        "name": name,
        "expires_at": expiry(expires),
        "permissions": given(permitted),
    }
    made = api.post("keys", body=body)
    say(made, made["key"])


@keys.command("list")
@click.option("--of", default="", metavar="TEAM[/APP]", help="Only this team's or this app's.")
@lister()
def list_keys(api: Api, *, of: str) -> None:
    """Show all keys, without their secrets."""
    listed(api.items("keys", of=of), _COLUMNS)


@keys.command()
@click.argument("key_id")
@operator()
def show(api: Api, *, key_id: str) -> None:
    """Show a key and what it may do, without its secret."""
    shown(api.get("keys", id_of(key_id)), (*_COLUMNS, *_MORE))


@keys.command()
@click.argument("key_id")
@click.option("--name", help="A note for people.")
@click.option("--expires", type=EXPIRY, help="As for `create`.")
@permissions
@click.option("--everything", is_flag=True, help="It may do what is not given here.")
@changer()
def change(
    api: Api,
    *,
    key_id: str,
    name: str | None,
    expires: str | None,
    everything: bool,
    **permitted: Any,
) -> None:
    """Change a key's note, its expiry or what it may do; what is not given stays."""
    all_of_it = msgspec.to_builtins(Permissions()) if everything else {}
    body: dict[str, Any] = {"permissions": all_of_it | given(permitted)}
    if name is not None:
        body["name"] = name
    if expires is not None:
        body["expires_at"] = expiry(expires)
    say(_changed(api, key_id, body), "it is changed")


@keys.command()
@click.argument("key_id")
@changer()
def disable(api: Api, *, key_id: str) -> None:
    """Stop the use of a key until `falgate keys enable`, on every instance at once."""
    found = _changed(api, key_id, {"disabled": True})
    say(found, f"{found['id']} is disabled")


@keys.command()
@click.argument("key_id")
@changer()
@click.pass_context
def enable(context: click.Context, api: Api, *, key_id: str) -> None:
    """Let a disabled key be used again; ends with 1 where it cannot, because it has expired."""
    found = _changed(api, key_id, {"disabled": False})
    say(found, f"{found['id']} is {found['state']}")
    if found["state"] != "usable":
        context.exit(1)


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap",
    "overlap_s",
    type=DURATION,
    help="How long the present secret stays good: 0, 90s, 30m, 24h (unless given), 7d.",
)
@changer()
def rotate(api: Api, *, key_id: str, overlap_s: int | None) -> None:
    """Give a key a new secret and print it, this once."""
    body = {} if overlap_s is None else {"overlap_s": overlap_s}
    made = api.post("keys", id_of(key_id), "rotate", body=body)
    say(made, made["key"])


@keys.command()
@click.argument("key_id")
@confirmed
@changer()
def revoke(api: Api, *, key_id: str, yes: bool) -> None:
    """End the use of a key for ever, by its id or all of it, on every instance at once."""
    name = id_of(key_id)
    confirm(f"Revoking key {name}", yes=yes)
    say(api.post("keys", name, "revoke"), f"{name} is revoked")


@keys.command()
@as_json
def admin() -> None:
    """Make a key for FALGATE_ADMIN_KEY and print it. It is kept nowhere."""
    made = mint("admin")
    say({"key": made}, made)


def mint(kind: apikey.Form) -> str:
    """A new key, from the system's randomness."""
    return apikey.mint(
        kind,
        secrets.token_bytes(apikey.ID_BYTES),
        secrets.token_bytes(apikey.SECRET_BYTES),
    )


def id_of(text: str) -> str:
    """A key's id, where all of the key may have been given.

    Raises:
        NotFound: It is a key with a slip; a secret does not go into a URL.
    """
    presented = apikey.present(text)
    if presented is None and text.startswith("fg_"):
        raise NotFound("There is no such key; list the keys to see all of them")
    return presented.id if presented else text


def expiry(expires: str) -> str | None:
    """When a key expires, as the API has it; None for never."""
    return None if expires == "never" else expires


def _changed(api: Api, key_id: str, body: dict[str, Any]) -> Any:
    return api.patch("keys", id_of(key_id), body=body)
