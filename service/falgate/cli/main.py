"""The commands, and the one place where a failure becomes one line for the operator."""

from typing import Any

import click

from falgate import __version__
from falgate.asgi import PortTaken
from falgate.cli.apply import apply, export
from falgate.cli.apps import apps
from falgate.cli.audit import audit
from falgate.cli.budgets import budgets
from falgate.cli.cache import cache
from falgate.cli.client_env import client_env
from falgate.cli.deliveries import deliveries
from falgate.cli.keys import keys
from falgate.cli.ledger import ledger
from falgate.cli.limits import limits
from falgate.cli.quote import quote
from falgate.cli.run import run
from falgate.cli.sandbox import sandbox
from falgate.cli.serve import serve
from falgate.cli.teams import teams
from falgate.cli.usage import usage
from falgate.core.admin_errors import Problem
from falgate.core.errors import Refusal
from falgate.core.printable import escaped
from falgate.settings import SettingsWrong
from falgate.store.connect import RedisUnfit
from falgate.store.embedded import EmbeddedFailed
from falgate.store.ledger import LedgerStrange

_EXPECTED = (
    EmbeddedFailed,
    LedgerStrange,
    OSError,
    PortTaken,
    Problem,
    RedisUnfit,
    Refusal,
    SettingsWrong,
)


class OneLine(click.Group):
    """Commands whose expected failures are one line, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run one."""
        try:
            return super().invoke(ctx)
        except* _EXPECTED as failures:
            first: BaseException = failures
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            failure = click.ClickException(escaped(" ".join(_words(first).split())))
        raise failure


def _words(failure: BaseException) -> str:
    if isinstance(failure, OSError) and failure.filename is not None:
        at = failure.filename2 or failure.filename
        return f"cannot use {at} ({failure.strerror}): move it away, or give FALGATE_DATA_DIR"
    return str(failure)


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="falgate")
def main() -> None:
    """A gateway in front of fal's image models."""


for command in (
    run,
    serve,
    teams,
    apps,
    keys,
    budgets,
    limits,
    cache,
    apply,
    export,
    quote,
    ledger,
    usage,
    audit,
    client_env,
    deliveries,
    sandbox,
):
    main.add_command(command)
