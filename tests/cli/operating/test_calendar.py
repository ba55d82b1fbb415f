"""Commands count time as the ledger does, whatever the shell knows of it."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from falgate.cli.main import main
from falgate.redis import keyspace

COMMANDS = {
    "raise": ("budgets", "raise", "organisation", "day", "5"),
    "reset": ("budgets", "reset", "organisation", "day", "--yes"),
    "list": ("budgets", "list"),
    "quote": ("quote", '{"prompt": "x"}'),
    "usage": ("usage",),
    "verify": ("ledger", "verify"),
    "export": ("export",),
}


@pytest.fixture
def vienna(redis: "Redis") -> None:
    """The ledger is one of Vienna, whose weeks begin on Sunday."""
    redis.hset(keyspace.META, "calendar", "Europe/Vienna/sunday")


@pytest.fixture
def typed(redis_url: str, vienna: None) -> Callable[..., Result]:
    """Types `falgate ARGUMENTS` in a shell with these settings."""
    assert vienna is None

    def typed(*arguments: str, **env: str) -> Result:
        unset: dict[str, Any] = {"FALGATE_TIMEZONE": None, "FALGATE_WEEK_STARTS": None}
        return CliRunner().invoke(
            main, arguments, env={**unset, "FALGATE_REDIS_URL": redis_url, **env}
        )

    return typed


def test_a_shell_that_says_nothing_counts_as_the_ledger_does(
    typed: Callable[..., Result],
) -> None:
    set_ = typed("budgets", "set", "organisation", "day", "20")
    raised = typed("budgets", "raise", "organisation", "day", "5")
    shown = typed("budgets", "show", "organisation", "--json")

    assert (set_.exit_code, raised.exit_code, shown.exit_code) == (0, 0, 0), raised.output
    assert "25.00" in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "env",
    [{"FALGATE_TIMEZONE": "America/New_York"}, {"FALGATE_WEEK_STARTS": "monday"}],
    ids=["zone", "week"],
)
def test_a_shell_that_says_something_else_is_refused(
    typed: Callable[..., Result], redis: "Redis", name: str, env: dict[str, str]
) -> None:
    before = redis.xlen(keyspace.AUDIT)
    done = typed(*COMMANDS[name], **env)

    assert done.exit_code != 0
    assert "the ledger counts its windows by Europe/Vienna/sunday" in done.stderr
    assert redis.xlen(keyspace.AUDIT) == before
