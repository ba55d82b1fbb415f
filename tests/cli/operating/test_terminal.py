"""Commands at a terminal of 80 columns, and what they ask there."""

import os
import pty
import re
import termios
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from forking import popen
from patience import PATIENCE_S

from falgate.models.endpoints import MODELS

COLUMNS = 80
STYLE = re.compile(r"\x1b\[[0-9;]*m")
LISTS = (
    ("teams", "list"),
    ("apps", "list"),
    ("keys", "list"),
    ("limits", "list"),
    ("budgets", "list"),
    ("budgets", "show", "team:web"),
    ("ledger", "list"),
    ("audit",),
    ("usage",),
    ("status",),
)

Terminal = Callable[..., tuple[int, str]]


@pytest.fixture
def terminal(redis_url: str, falgate: Callable[..., Result]) -> Terminal:
    """Types `falgate ARGUMENTS` at a terminal, and what it asks for; its end and its words."""
    for arguments in (
        ("teams", "create", "web"),
        ("apps", "create", "web/shop"),
        ("keys", "create", "--app", "web/shop", "--name", "for the spring campaign"),
        ("budgets", "set", "team:web", "day", "1234.567891", "--alert", "80", "--alert", "95"),
        ("budgets", "raise", "team:web", "day", "0.5"),
    ):
        assert falgate(*arguments).exit_code == 0

    def typed(*arguments: str, answer: str = "") -> tuple[int, str]:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, COLUMNS))
        env = {"PATH": os.environ["PATH"], "TERM": "xterm", "FALGATE_REDIS_URL": redis_url}
        process = popen(arguments, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.write(ours, answer.encode())
        said = b""
        try:
            while chunk := os.read(ours, 65_536):
                said += chunk
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        return process.wait(PATIENCE_S), STYLE.sub("", said.decode().replace("\r\n", "\n"))

    return typed


def test_tables_fit_80_columns(terminal: Terminal, ask: Callable[..., Any]) -> None:
    [key] = ask("keys", "list")
    for arguments in LISTS:
        code, said = terminal(*arguments)
        assert code == 0, said
        assert max(map(len, said.splitlines())) <= COLUMNS, said
        if arguments in {("keys", "list"), ("limits", "list")}:
            assert key["id"] in said
        if arguments[0] == "budgets":
            assert "1234.567891" in said


def test_half_of_an_amount_is_never_shown_for_the_whole(
    terminal: Terminal, falgate: Callable[..., Result]
) -> None:
    long = f"t{'o' * 60}"
    assert falgate("teams", "create", long).exit_code == 0
    assert falgate("budgets", "set", f"team:{long}", "day", "123456789.123456").exit_code == 0

    said = terminal("budgets", "list")[1]
    wide = terminal("budgets", "list", "--wide")[1]

    assert "123456789.123456" in said or "\u2026" in said
    assert f"team:{long}" in wide
    assert "123456789.123456" in wide


def test_a_list_that_is_piped_has_one_line_a_row(
    terminal: Terminal, falgate: Callable[..., Result]
) -> None:
    assert terminal("teams", "list")[0] == 0
    lines = falgate("limits", "list").stdout.splitlines()

    assert [line.split("\t")[0].partition(":")[0] for line in lines] == [
        *("account", "team", "app", "key", *["model"] * len(MODELS))
    ]
    assert {len(line.split("\t")) for line in lines} == {6}
    assert lines[1].split("\t")[1] == "none"
    assert falgate("deliveries", "list").stdout == "none\n"


def test_what_cannot_be_undone_is_asked_for(terminal: Terminal, ask: Callable[..., Any]) -> None:
    code, said = terminal("budgets", "remove", "team:web", "day", answer="n\n")
    assert (code, "cannot be undone" in said) == (1, True)
    assert len(ask("budgets", "list")) == 1

    code, said = terminal("budgets", "remove", "team:web", "day", answer="y\n")
    assert (code, "is removed" in said) == (0, True)
    assert ask("budgets", "list") == []
