"""`falgate setup`: all that an app needs, in one call."""

import re
from typing import Any

import click

from falgate.cli.client import Api, changer
from falgate.cli.keys import permissions
from falgate.cli.options import APP, EXPIRY, AppName, given, wants_json
from falgate.cli.output import say
from falgate.core.calendar import KINDS
from falgate.core.problems import Invalid

_BUDGET = re.compile(rf"({'|'.join(KINDS)})=([0-9.]+)(?:@([0-9]+(?:,[0-9]+)*))?")
_RATE = click.IntRange(0, 1_000_000)
_HELP = "{} WINDOW=DOLLARS[@PERCENT,...], such as day=5@80; may be given again."


@click.command()
@click.argument("name", type=APP, metavar="TEAM/APP")
@click.option("--key-name", default="first", show_default=True, help="A note on the key.")
@click.option("--test", is_flag=True, help="A test key: it only ever reaches the sandbox.")
@click.option("--expires", type=EXPIRY, default="never", help="As for `falgate keys create`.")
@click.option("--budget", "key_budgets", multiple=True, help=_HELP.format("Of the key:"))
@click.option("--app-budget", "app_budgets", multiple=True, help=_HELP.format("Of the app:"))
@click.option("--team-budget", "team_budgets", multiple=True, help=_HELP.format("Of the team:"))
@click.option("--requests-per-second", type=_RATE, help="Of the key, as its other limits.")
@click.option("--generations-per-minute", type=_RATE, help="Purchases begun in any 60 seconds.")
@click.option("--at-once", "generations_at_once", type=_RATE, help="Purchases under way.")
@permissions
@changer()
def setup(
    api: Api,
    *,
    name: AppName,
    key_name: str,
    test: bool,
    expires: str,
    key_budgets: tuple[str, ...],
    app_budgets: tuple[str, ...],
    team_budgets: tuple[str, ...],
    requests_per_second: int | None,
    generations_per_minute: int | None,
    generations_at_once: int | None,
    **permitted: Any,
) -> None:
    """Make a team and an app if they are not there, a key and budgets, and print the key, once.

    Everything is checked before anything is made. What is there stays as it is. A repeat within a
    day with the same name of the key makes no second one.
    """
    limits = {
        "requests_per_second": requests_per_second,
        "generations_per_minute": generations_per_minute,
        "generations_at_once": generations_at_once,
    }
    budgets = (("team", team_budgets), ("app", app_budgets), ("key", key_budgets))
    body = {
        "team": name.team,
        "app": name.app,
        "key": {
            "name": key_name,
            "kind": "test" if test else "live",
            "expires_at": None if expires == "never" else expires,
            "permissions": given(permitted),
            "limits": given(limits),
        },
        "budgets": [_budget(of, word) for of, words in budgets for word in words],
    }
    done = api.post("setup", body=body)
    if not wants_json():
        click.echo(f"made: {', '.join(done['made'])}", err=True)
    say(done, done["key"])


def _budget(of: str, word: str) -> dict[str, Any]:
    found = _BUDGET.fullmatch(word)
    if not found:
        raise Invalid(f"{word!r} is no budget, such as day=5 or month=100@50,80")
    window, limit, alerts = found.groups()
    percents = [int(each) for each in alerts.split(",")] if alerts else []
    return {"of": of, "window": window, "limit_usd": limit, "alerts": percents}
