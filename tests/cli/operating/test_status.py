"""`falgate status`: what runs, and how full the budgets are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from redis import Redis

from falgate import __version__
from falgate.core.account import Account
from falgate.redis import keyspace


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def test_it_says_what_runs_on_what_and_which_budgets_are_fullest(
    falgate: Callable[..., Result], ask: Callable[..., Any], redis: "Redis"
) -> None:
    falgate("teams", "create", "web")
    falgate("budgets", "set", "org", "total", "10")
    falgate("budgets", "set", "team:web", "total", "2")
    account = keyspace.account("sandbox", Account("team", "web"))
    redis.hset(account, mapping={"spent:total:all": 1_500_000})

    found = ask("status")

    assert (found["version"], found["upstream"], found["frozen"]) == (__version__, "sandbox", None)
    assert (found["redis"]["trouble"], found["store"]["trouble"]) == (None, None)
    assert found["store"]["at"].startswith("file:///")
    filled = [(each["standing"]["account"], each["used_percent"]) for each in found["fullest"]]
    assert filled == [("team:web", 75), ("organisation:main", 0)]
    said = falgate("status").stdout
    assert "http://127.0.0.1:8080 " in said
    assert "team:web\ttotal\t75" in said


def test_buying_that_is_stopped_is_said_to_be(
    falgate: Callable[..., Result], redis: "Redis"
) -> None:
    redis.hset(keyspace.META, mapping={"frozen_ms": 1, "frozen_why": "Redis was torn"})

    assert "stopped: Redis was torn" in falgate("status").stdout


def test_before_a_first_start_it_says_that_no_gateway_has_run(
    falgate: Callable[..., Result], redis: "Redis"
) -> None:
    redis.delete(keyspace.META)

    assert "no gateway has used this ledger yet" in falgate("status").stdout


def test_models_are_listed_with_the_day_on_which_they_end(
    falgate: Callable[..., Result], ask: Callable[..., Any]
) -> None:
    old, *new = ask("models", "list")

    assert (old["endpoint"], old["retires"]) == ("fal-ai/gpt-image-1.5", "2026-12-01")
    assert {each["retires"] for each in new} == {None}
    assert old["successor"] in {each["endpoint"] for each in new}
    said = falgate("models", "list").stdout
    assert "fal-ai/gpt-image-1.5\t2026-12-01\topenai/gpt-image-2\tnone" in said
