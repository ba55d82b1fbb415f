"""`falgate quote`: what a request would cost an app, and what would refuse it."""

from typing import Any

import click
import msgspec

from falgate.accounts.directory import FIRST
from falgate.cli.client import Api, operator
from falgate.cli.options import APP, AppName
from falgate.cli.output import say
from falgate.core.problems import Invalid


@click.command()
@click.argument("body")
@click.option("--model", default="", help="Its endpoint; by default the first that does not end.")
@click.option(
    "--app",
    type=APP,
    default=f"{FIRST}/{FIRST}",
    show_default=True,
    help="TEAM/APP that asks.",
)
@operator(pictures=True)
def quote(api: Api, body: str, *, model: str, app: AppName) -> None:
    """What a request with this JSON BODY would cost now. Nothing is spent.

    Budgets of the app's keys are apart: a key's own quote is at /v1/quote.
    """
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(f"BODY is no JSON: {error}") from None
    found = api.post("quote", body={"app": str(app), "model": model, "request": request})
    say(found, words(found))


def words(found: dict[str, Any]) -> str:
    """A quote in sentences."""
    asked, cached = found["asked"], found["cached"]
    missing = asked - cached
    lines = [f"{found['cache']}: {cached} of {asked} pictures are there, {missing} to buy"]
    if missing:
        lines.append(
            f"list price ${found['list_usd']}, about ${found['estimate_usd']} with its text, "
            f"at most ${found['hold_usd']}"
        )
    if missing and found["ended"]:
        lines.append(f"refused, because {found['model']} has ended")
    if after := found["successor"]:
        more = f"${after['difference_usd']} more".replace("$-", "-$")
        lines.append(
            f"{after['model']}, its successor, cannot make them: {after['problem']}"
            if after["problem"]
            else f"all {asked} of {after['model']}, its successor: about ${after['estimate_usd']}, "
            f"{more}"
        )
    if stopped := found["stopped"]:
        because = f": {stopped['why']}" if stopped["why"] else ""
        lines.append(f"refused, because an operator stopped {stopped['subject']}{because}")
    lines += [
        f"refused by the {short['window']} budget of {short['account']}: "
        f"${short['remaining_usd']} of ${short['limit_usd']} left"
        for short in found["refused_by"]
    ]
    lines += [
        f"the shadow {short['window']} budget of {short['account']} has no room for it"
        for short in found["overdrawn"]
    ]
    return "\n".join(lines)
