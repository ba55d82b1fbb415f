"""`falgate stop` and `falgate resume`: nothing is bought for a team, an app, a model or anybody."""

from collections.abc import Callable
from typing import Any

import click

from falgate.cli.client import Api, changer, operator
from falgate.cli.options import APP, AppName, in_path
from falgate.cli.output import Column, listed, moment, say
from falgate.core.account import ORGANISATION, Account, Level

_COLUMNS = (
    Column("subject", whole=True),
    Column("stopped_at", "since", moment, whole=True),
    Column("who"),
    Column("why"),
)


def _of_subject(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--model", metavar="ENDPOINT", help="Purchases of this model."),
        click.option("--app", type=APP, metavar="TEAM/APP", help="Purchases of this app."),
        click.option("--team", metavar="NAME", help="Purchases of this team."),
    ):
        command = option(command)
    return command


@click.command()
@_of_subject
@click.option("--why", metavar="WORDS", help="What callers are told; kept in the audit log too.")
@click.option("--list", "lists", is_flag=True, help="Show what is stopped, and stop nothing.")
@operator(table=True, changes=True)
def stop(api: Api, *, why: str | None, lists: bool, **subject: Any) -> None:
    """Stop purchases of a team, an app or a model, or without any of them, all purchases.

    Cached pictures are still served, and purchases under way end as usual. It is in force on all
    instances at once, until `falgate resume`. Repeated, it changes the reason.
    """
    if lists:
        if why is not None or any(each is not None for each in subject.values()):
            raise click.UsageError("--list stops nothing: give it alone")
        listed(api.items("stops"), _COLUMNS)
        return
    body = {} if why is None else {"why": why}
    done = api.put("stops", in_path(_subject(**subject)), body=body)
    say(done, f"purchases are stopped for {told(done)}")


@click.command()
@_of_subject
@changer()
def resume(api: Api, **subject: Any) -> None:
    """Resume purchases of a team, an app or a model; without any of them, of the organisation.

    Each stop ends by itself: to resume the organisation leaves those of teams, apps and models.
    """
    chosen = _subject(**subject)
    api.delete("stops", in_path(chosen))
    left = api.items("stops")
    still = "".join(f"\nstill stopped: {told(each)}" for each in left)
    say({"resumed": chosen.name, "stopped": left}, f"{chosen.name} is no longer stopped{still}")


def told(stop: dict[str, Any]) -> str:
    """A stop in words."""
    because = f": {stop['why']}" if stop["why"] else ""
    return f"{stop['subject']} since {moment(stop['stopped_at'])} by {stop['who']}{because}"


def _subject(team: str | None, app: AppName | None, model: str | None) -> Account:
    given: dict[Level, Any] = {"team": team, "app": app, "model": model}
    # An empty name is given too: `--team "$TEAM"` must not stop or resume the whole organisation.
    chosen = [Account(level, str(name)) for level, name in given.items() if name is not None]
    if len(chosen) > 1:
        raise click.UsageError("give one of --team, --app and --model")
    return chosen[0] if chosen else ORGANISATION
