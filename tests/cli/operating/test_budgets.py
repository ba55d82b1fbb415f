"""`falgate budgets`."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from redis import Redis

from falgate.core.account import Account
from falgate.redis import keyspace

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def web(falgate: Falgate) -> None:
    """Makes team web."""
    falgate("teams", "create", "web")


def test_a_budget_is_set_raised_reset_and_removed(
    falgate: Falgate, ask: Ask, redis: "Redis"
) -> None:
    arguments = ("day", "25", "--alert", "80", "--alert", "95", "--shadow")
    standing = ask("budgets", "set", "team:web", *arguments)
    assert standing["budget"] == {"limit_usd": "25.00", "shadow": True, "alerts": [80, 95]}

    raised = falgate("budgets", "raise", "team:web", "day", "10").stdout
    assert raised.startswith("team:web/day: $35.00, $35.00 left until ")
    assert ask("budgets", "list")[0]["remaining_usd"] == "35.00"

    ask("budgets", "set", "team:web", "total", "2")
    account = keyspace.account("sandbox", Account("team", "web"))
    redis.hset(account, mapping={"spent:total:all": 1_500_000})
    assert ask("budgets", "show", "team:web")[-1]["remaining_usd"] == "0.50"
    assert (
        ask("budgets", "reset", "team:web", "total", "--yes")["standing"]["remaining_usd"] == "2.00"
    )
    table = falgate("budgets", "list").stdout
    assert "team:web" in table
    assert "80, 95" in table

    removed = falgate("budgets", "remove", "team:web", "day", "--yes").stdout
    assert removed == "the budget team:web/day is removed\n"
    assert [each["window"] for each in ask("budgets", "list")] == ["total"]


def test_a_model_has_a_budget(falgate: Falgate, ask: Ask, refused: Refused) -> None:
    name = "model:openai/gpt-image-2"

    said = falgate("budgets", "set", name, "day", "50", "--alert", "80").stdout

    assert said.startswith(f"{name}/day: $50.00, $50.00 left until ")
    assert [each["account"] for each in ask("budgets", "list")] == [name]
    assert ask("status")["fullest"][0]["standing"]["account"] == name
    assert "There is no model dall-e; there are: " in refused(
        "budgets", "set", "model:dall-e", "day", "1"
    )
    falgate("budgets", "remove", name, "day", "--yes")
    assert ask("budgets", "list") == []


def test_what_is_not_given_stays_and_the_line_says_what_is_set(falgate: Falgate) -> None:
    def line(*arguments: str) -> str:
        return falgate("budgets", "set", "team:web", "day", *arguments).stdout.split("; ", 1)[1]

    assert line("5", "--alert", "80", "--shadow") == "shadow, refuses nothing; alerts at 80 %\n"
    assert line("6") == "shadow, refuses nothing; alerts at 80 %\n"
    assert line("--no-shadow") == "enforced; alerts at 80 %\n"
    assert line("--alert", "50", "--alert", "95") == "enforced; alerts at 50 %, 95 %\n"
    assert line("--no-alerts") == "enforced; no alerts\n"
    assert falgate("budgets", "set", "team:web", "day").stdout.startswith("team:web/day: $6.00, ")


@pytest.mark.parametrize("amount", ["-1", "NaN", "inf", "1e3", "0x10", "1.0000001", "9999999999"])
def test_an_amount_is_a_plain_decimal(amount: str, refused: Refused, ask: Ask) -> None:
    ask("budgets", "set", "team:web", "day", "5")
    for command in (("set", "team:web", "day"), ("raise", "team:web", "day"), ("overage",)):
        assert refused("budgets", *command, "--", amount)

    assert [each["remaining_usd"] for each in ask("budgets", "list")] == ["5.00"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("set", "team:nope", "day", "5"), "There is no team nope"),
        (("set", "app:web/nope", "day", "5"), "There is no app web/nope"),
        (("set", "key:nope", "day", "5"), "There is no such key"),
        (("set", "galaxy", "day", "5"), "is not organisation, team:NAME"),
        (("set", "team:web", "fortnight", "5"), "is not one of 'hour', 'day'"),
        (("set", "team:web", "day", "5", "--alert", "0"), "0 is not in the range"),
        (("set", "team:web", "day", "5", "--alert", "9", "--alert", "8"), "ascending"),
        (("set", "team:web", "day", "5", "--alert", "9", "--no-alerts"), "exclude each other"),
        (("set", "team:web", "day", "--shadow"), "a new budget needs a limit"),
        (("raise", "team:web", "week", "5"), "has no week budget"),
        (("reset", "team:web", "week", "--yes"), "has no week budget"),
        (("remove", "team:web", "week", "--yes"), "has no week budget"),
        (("remove", "organisation", "day", "--yes"), "last enforced one"),
        (("set", "organisation", "day", "1", "--shadow"), "last enforced one"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], complaint: str, refused: Refused, ask: Ask
) -> None:
    ask("budgets", "set", "organisation", "day", "5")

    assert complaint in refused("budgets", *arguments)
    assert len(ask("budgets", "list")) == 1


def test_a_reason_is_kept_and_shown(falgate: Falgate, ask: Ask, refused: Refused) -> None:
    ask("budgets", "set", "team:web", "day", "5")
    ask("budgets", "raise", "team:web", "day", "1", "--why", "launch day")
    ask("budgets", "reset", "team:web", "day", "--why", "a test went wild", "--yes")
    ask("budgets", "overage", "2", "--why", "prices rose")

    assert [line["why"] for line in ask("audit", "--limit", "3")] == [
        *("prices rose", "a test went wild", "launch day")
    ]
    assert "(launch day)" in falgate("audit").stdout
    assert "why" in refused("budgets", "reset", "team:web", "day", "--yes", "--why", "\x1b[2J")


def test_a_negative_amount_is_refused_as_an_amount(refused: Refused) -> None:
    for command in (("set", "team:web", "day"), ("raise", "team:web", "day"), ("overage",)):
        assert "-5 is not an amount" in refused("budgets", *command, "-5")


def test_a_budget_is_not_reset_or_removed_before_somebody_has_said_yes(
    refused: Refused, ask: Ask
) -> None:
    before = ask("budgets", "set", "org", "day", "5")

    for command in ("reset", "remove"):
        assert "give --yes" in refused("budgets", command, "org", "day")
    assert ask("budgets", "list") == [before]


def test_the_books_of_test_keys_are_others(ask: Ask) -> None:
    ask("budgets", "set", "team:web", "day", "5", "--test")

    assert ask("budgets", "list") == []
    assert [each["account"] for each in ask("budgets", "list", "--test")] == ["team:web"]


def test_the_overage_has_a_limit(ask: Ask, falgate: Falgate) -> None:
    assert falgate("budgets", "overage").stdout == "the overage account: limit $0.00, used $0.00\n"
    ask("budgets", "overage", "2.50")

    expected = {"limit_usd": "2.50", "used_usd": "0.00", "remaining_usd": "2.50"}
    assert ask("budgets", "overage") == expected


def test_before_a_first_start_there_are_no_live_books(refused: Refused, redis: "Redis") -> None:
    redis.delete(keyspace.META)

    assert "start one first" in refused("budgets", "list")
