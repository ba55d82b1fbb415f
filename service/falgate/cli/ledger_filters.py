"""The options of commands that are about some entries of the ledger."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from falgate.cli.options import from_day, to_day
from falgate.money.entry import ENTRY_KINDS, OUTCOMES

F = TypeVar("F", bound=Callable[..., Any])


def filters(command: F) -> F:
    """The options that say which entries are meant."""
    for option in (
        from_day,
        to_day,
        click.option("--team", help="Of this team."),
        click.option("--app", help="Of this app: its name, or TEAM/APP."),
        click.option("--key", help="Of this key, by its id."),
        click.option("--model", help="Of this model, by its endpoint."),
        click.option("--job", help="Of this job."),
        click.option("--kind", type=click.Choice(ENTRY_KINDS), help="Of this kind."),
        click.option("--outcome", type=click.Choice(OUTCOMES), help="Closed so."),
        click.option(
            "--pictures", type=click.Choice(["none"]), help="none: charged without a picture."
        ),
        click.option(
            "--reconciled",
            type=click.Choice(["yes", "no"]),
            help="Closed jobs that were, or were not, compared with fal's billing.",
        ),
    ):
        command = option(command)
    return command
