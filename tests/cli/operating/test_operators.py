"""`falgate operators`: who administers falgate."""

from collections.abc import Callable
from typing import Any

from click.testing import Result

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]


def test_an_operator_is_made_listed_and_shown(ask: Ask, falgate: Falgate) -> None:
    falgate("teams", "create", "web")
    made = ask("operators", "create", "lea", "--role", "lead", "--team", "web", "--prompts")

    assert made["key"].startswith("fg_oper_")
    (found,) = ask("operators", "list")
    assert (found["name"], found["team"], found["prompts"]) == ("lea", "web", True)
    for name in (found["id"], made["key"]):
        assert ask("operators", "show", name) == found
    assert made["key"].split("_")[3] not in falgate("operators", "list", "--wide").stdout
    line = falgate("operators", "create", "bob", "--role", "viewer").stdout
    assert line.startswith("fg_oper_")
    assert line.count("\n") == 1


def test_an_operator_is_changed_rotated_and_revoked(
    ask: Ask, falgate: Falgate, refused: Refused
) -> None:
    made = ask("operators", "create", "bob", "--role", "viewer", "--expires", "2099-01-31")
    name = made["record"]["id"]

    changed = ask("operators", "change", name, "--name", "ann", "--expires", "never", "--disable")
    assert (changed["name"], changed["state"], changed["expires_at"]) == ("ann", "disabled", None)
    assert ask("operators", "change", name, "--enable")["state"] == "usable"
    renewed = ask("operators", "rotate", name, "--overlap", "30m")
    assert renewed["key"] != made["key"]
    assert renewed["record"]["previous_until"]
    assert "--yes" in refused("operators", "revoke", name)
    assert falgate("operators", "revoke", name, "--yes").stdout == f"{name} is revoked\n"
    assert "revoked" in refused("operators", "rotate", name)


def test_what_makes_no_sense_is_refused_in_a_line(refused: Refused) -> None:
    assert "a lead has one" in refused("operators", "create", "lea", "--role", "lead")
    assert "no team nope" in refused(
        "operators", "create", "lea", "--role", "lead", "--team", "nope"
    )
    assert "no such operator" in refused("operators", "show", "nobody")


def test_a_command_says_who_it_asks_as(ask: Ask, falgate: Falgate) -> None:
    assert ask("operators", "whoami")["role"] == "admin"
    assert "admin" in falgate("operators", "whoami").stdout
