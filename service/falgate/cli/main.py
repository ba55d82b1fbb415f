"""The commands, and the one place where a failure becomes one line for the operator."""

import signal
import sys
from importlib import import_module
from typing import Any

import click

from falgate import __version__
from falgate.core.printable import escaped

COMMANDS = {
    "activity": "activity",
    "apply": "apply",
    "apps": "apps",
    "audit": "audit",
    "budgets": "budgets",
    "cache": "cache",
    "client-env": "client_env",
    "completion": "completion",
    "console": "console",
    "deliveries": "deliveries",
    "export": "apply",
    "health": "health",
    "jobs": "jobs",
    "keys": "keys",
    "ledger": "ledger",
    "limits": "limits",
    "models": "models",
    "operators": "operators",
    "overview": "overview",
    "playground": "playground",
    "quote": "quote",
    "requests": "requests",
    "resume": "stop",
    "run": "run",
    "sandbox": "sandbox",
    "serve": "serve",
    "setup": "setup",
    "status": "status",
    "stop": "stop",
    "teams": "teams",
    "usage": "usage",
}
"""The module of each command: it is imported when the command is named, and no other."""

EXPECTED = {
    "core.errors": "Refusal",
    "core.problems": "Problem",
    "fal.connections": "AuthoritiesWrong",
    "fal.proxies": "ProxyWrong",
    "listeners": "PortTaken",
    "money.store.ledger": "LedgerStrange",
    "redis.client": "RedisUnfit",
    "redis.embedded": "EmbeddedFailed",
    "settings": "SettingsWrong",
}
"""The module of each exception that is one line for the operator."""


class Commands(click.Group):
    """Commands that are loaded when named, and whose expected failures are one line each."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them."""
        return sorted([*super().list_commands(ctx), *COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, if there is one of this name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"falgate.cli.{COMMANDS[cmd_name]}")
        if callable(signal.getsignal(signal.SIGINT)):
            # A command may have something to clean up; see `falgate.__main__`.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run one."""
        try:
            return super().invoke(ctx)
        except* KeyboardInterrupt:
            failure: BaseException = click.ClickException("stopped before it was done")
        except* _expected() as failures:
            failure = failures
            while isinstance(failure, BaseExceptionGroup):
                failure = failure.exceptions[0]
            # click ends quietly when whoever reads the output, like `head`, has had enough.
            if not isinstance(failure, BrokenPipeError):
                failure = click.ClickException(escaped(" ".join(_words(failure).split())))
        raise failure


def _expected() -> tuple[type[BaseException], ...]:
    """What a module that is not loaded would raise, nobody has raised."""
    loaded = {name: sys.modules.get(f"falgate.{name}") for name in EXPECTED}
    return (OSError, *(getattr(loaded[name], EXPECTED[name]) for name in EXPECTED if loaded[name]))


def _words(failure: BaseException) -> str:
    if isinstance(failure, OSError) and failure.filename is not None:
        at = failure.filename2 or failure.filename
        return f"cannot use {at} ({failure.strerror}): move it away, or give FALGATE_DATA_DIR"
    return str(failure)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="falgate")
def main() -> None:
    """A gateway in front of fal's image models."""
