"""`falgate operators`: make, list, change, rotate and revoke operators; who is asking."""

from typing import Any

import click

from falgate.cli.client import Api, changer, lister, operator
from falgate.cli.keys import expiry, id_of
from falgate.cli.options import DURATION, EXPIRY, confirm, confirmed, given
from falgate.cli.output import Column, listed, moment, say, shown

_COLUMNS = (
    Column("id", whole=True),
    Column("role"),
    Column("team"),
    Column("name"),
    Column("prompts"),
    Column("state"),
    Column("created_at", "created", moment, wide=True),
    Column("expires_at", "expires", moment),
)
_MORE = (Column("revoked_at", "revoked", moment), Column("previous_until", form=moment))
_prompts = click.option(
    "--prompts/--no-prompts", default=None, help="Whether they may see prompts. Admins always may."
)


@click.group()
def operators() -> None:
    """Operators: who administers falgate. Their key is shown once, when it is made."""


@operators.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["admin", "viewer", "lead"]),
    required=True,
    help="admin: all. viewer: sees, changes nothing. lead: their team only.",
)
@click.option("--team", help="The team of a lead.")
@_prompts
@click.option(
    "--expires", type=EXPIRY, default="never", help="2027-01-31, 2027-01-31T12:00+01:00, or never."
)
@changer()
def create(
    api: Api, *, name: str, role: str, team: str | None, prompts: bool | None, expires: str
) -> None:
    """Make an operator, called NAME in the audit log, and print their key, this once."""
    wanted = given({"team": team, "prompts": prompts})
    body = {"name": name, "role": role, "expires_at": expiry(expires), **wanted}
    made = api.post("operators", body=body)
    say(made, made["key"])


@operators.command("list")
@lister()
def list_operators(api: Api) -> None:
    """Show all operators, without their secrets."""
    listed(api.items("operators"), _COLUMNS)


@operators.command()
@click.argument("operator_id")
@operator()
def show(api: Api, *, operator_id: str) -> None:
    """Show an operator, by the id of their key or all of it, without its secret."""
    shown(api.get("operators", id_of(operator_id)), (*_COLUMNS, *_MORE))


@operators.command()
@click.argument("operator_id")
@click.option("--name", help="Who it is.")
@_prompts
@click.option("--expires", type=EXPIRY, help="As for `create`.")
@click.option("--disable/--enable", "disabled", default=None, help="Whether the key works for now.")
@changer()
def change(
    api: Api,
    *,
    operator_id: str,
    name: str | None,
    prompts: bool | None,
    expires: str | None,
    disabled: bool | None,
) -> None:
    """Change an operator; what is not given stays."""
    body: dict[str, Any] = given({"prompts": prompts, "disabled": disabled})
    if name is not None:
        body["name"] = name
    if expires is not None:
        body["expires_at"] = expiry(expires)
    found = api.patch("operators", id_of(operator_id), body=body)
    say(found, f"{found['id']} is {found['state']}")


@operators.command()
@click.argument("operator_id")
@click.option(
    "--overlap",
    "overlap_s",
    type=DURATION,
    default="0",
    help="How long the present secret stays good: 90s, 30m, 24h; 0 unless given.",
)
@changer()
def rotate(api: Api, *, operator_id: str, overlap_s: int) -> None:
    """Give an operator's key a new secret and print it, this once."""
    made = api.post("operators", id_of(operator_id), "rotate", body={"overlap_s": overlap_s})
    say(made, made["key"])


@operators.command()
@click.argument("operator_id")
@confirmed
@changer()
def revoke(api: Api, *, operator_id: str, yes: bool) -> None:
    """End the use of an operator's key for ever, on every instance at once."""
    name = id_of(operator_id)
    confirm(f"Revoking the key {name}", yes=yes)
    say(api.post("operators", name, "revoke"), f"{name} is revoked")


@operators.command()
@operator()
def whoami(api: Api) -> None:
    """Show who asks, as the key in FALGATE_ADMIN_KEY says, and what they may do."""
    shown(api.get("whoami"), (Column("who", whole=True), *_COLUMNS[1:3], Column("prompts")))
