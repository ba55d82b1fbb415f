"""`falgate models retire`: when a model ends, which one takes its place, and what follows."""

from datetime import date
from typing import Any, get_args

import click

from falgate.accounts.directory import Afterwards
from falgate.cli.client import Api, changer
from falgate.cli.options import APP, DAY, AppName
from falgate.cli.output import say

_FOLLOWS: dict[Afterwards, str] = {
    "serve-cached": "requests that the cache cannot answer get 410",
    "redirect": "requests that the cache cannot answer go to its successor",
}


@click.command()
@click.argument("endpoint")
@click.option("--on", "day", type=DAY, help="The day (UTC) from which nothing of it is bought.")
@click.option("--to", "successor", metavar="ENDPOINT", help="The model that takes its place.")
@click.option(
    "--then",
    "afterwards",
    type=click.Choice(get_args(Afterwards)),
    help="What follows for requests that the cache cannot answer: 410, or the successor.",
)
@click.option(
    "--app",
    type=APP,
    metavar="TEAM/APP",
    help="With --then or --reset: for this app alone.",
)
@click.option("--reset", is_flag=True, help="Undo all of it: what the model's own file says.")
@changer()
def retire(
    api: Api,
    *,
    endpoint: str,
    day: date | None,
    successor: str | None,
    afterwards: Afterwards | None,
    app: AppName | None,
    reset: bool,
) -> None:
    """Decide how a model ends: ENDPOINT --on 2026-12-01 --to openai/gpt-image-2 --then redirect.

    Pictures in the cache are served as before, for ever. What is not given stays; a quote shows
    what a request would cost at the successor.
    """
    given = {
        "retires": day.isoformat() if day else None,
        "successor": successor,
        "afterwards": afterwards,
    }
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if reset == bool(wanted):
        raise click.UsageError("give --on, --to or --then, or --reset alone")
    if app is not None:
        if wanted.keys() - {"afterwards"}:
            raise click.UsageError("an app has only a --then of its own")
        _retire_for(api, app, endpoint, afterwards)
        return
    if reset:
        wanted = {"retires": None, "successor": "", "afterwards": get_args(Afterwards)[0]}
    done = api.patch("models", endpoint.replace("/", ":"), body=wanted)
    when = f"on {done['retires']}" if done["retires"] else "on the day of its file"
    say(done, f"{endpoint} ends {when}; {_FOLLOWS[done['afterwards']]}")


def _retire_for(api: Api, app: AppName, endpoint: str, afterwards: Afterwards | None) -> None:
    kept = {**api.get(*app.path)["afterwards"], endpoint: afterwards}
    body = {name: each for name, each in kept.items() if each is not None}
    api.patch(*app.path, body={"afterwards": body})
    what = _FOLLOWS[afterwards] if afterwards else "as for all apps"
    say({"app": str(app), "afterwards": body}, f"once {endpoint} has ended, for app {app}: {what}")
