"""`falgate status`: what runs, and how full the budgets are."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from click.testing import Result
from redis import Redis

from falgate import __version__
from falgate.billing.model_drift_report import ModelDrift
from falgate.core.account import Account
from falgate.models.described.drift import Difference
from falgate.redis import keyspace
from falgate.served_models import SHIPPED


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
    assert {each["retires"] for each in new if not each["successor"]} == {None}
    assert old["successor"] in {each["endpoint"] for each in new}
    said = falgate("models", "list").stdout
    assert "fal-ai/gpt-image-1.5\t2026-12-01\t" in said
    assert "\topenai/gpt-image-2\tnone" in said


def test_a_model_that_fal_changed_is_told(
    falgate: Callable[..., Result], ask: Callable[..., Any], redis: "Redis"
) -> None:
    changed = Difference("input.quality.default", '"high" is now "low"')
    new = Difference("input.mood", "new", harmless=True)
    for model, found in (("acme/easel", (changed,)), ("acme/pen", (new,)), ("acme/ink", ())):
        report = ModelDrift(at_ms=1, differences=found)
        redis.hset(keyspace.MODEL_DRIFTS, model, msgspec.json.encode(report))

    assert [(each["model"], each["changed"]) for each in ask("status")["drift"]] == [
        ("acme/easel", True),
        ("acme/pen", False),
    ]
    said = falgate("status").stdout
    assert 'models    acme/easel changed at fal: input.quality.default: "high" is now "low"' in said
    assert "acme/pen has more at fal: input.mood: new" in said


def test_a_model_is_shown_with_its_arguments_and_what_is_held(
    falgate: Callable[..., Result], ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FALGATE_MODELS_DIR", str(SHIPPED))
    banana = ask("models", "show", "fal-ai/nano-banana-2")
    own = ask("models", "show", "openai/gpt-image-2")

    assert (banana["source"], banana["at_once"]) == ("fal-ai.nano-banana-2.toml", 4)
    # Four pictures of 4K, with a web search and high thinking.
    assert (banana["held_usd"], banana["held_most_usd"]) == ("0.08", "0.708")
    assert banana["price_terms"] == [
        "$0.08 a picture, by resolution 0.5K 0.75, 1K 1, 2K 1.5, 4K 2",
        "$0.015 a picture, if enable_web_search is true",
        "$0.002 a picture, if thinking_level is high",
    ]
    arguments = {each["name"]: each for each in banana["arguments"]}
    assert arguments["resolution"]["default"] == '"1K"'
    assert arguments["thinking_level"]["default"] is None
    assert arguments["prompt"] == {
        "name": "prompt",
        "required": True,
        "default": None,
        "values": "string, at least 3, at most 50000",
    }
    assert (own["source"], own["held_most_usd"]) == ("falgate", "2.8877")
    assert "held at most      $0.708" in falgate("models", "show", "fal-ai/nano-banana-2").stdout
    assert "There is no such model" in falgate("models", "show", "acme/none").stderr
