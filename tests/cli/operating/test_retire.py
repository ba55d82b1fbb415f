"""`falgate models retire`, and how its models are shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]
MODEL, SUCCESSOR = "fal-ai/gpt-image-1.5", "openai/gpt-image-2"
NEWER = "openai/gpt-image-2.5/flare/text-to-image"


@pytest.fixture(autouse=True)
def web(falgate: Falgate) -> None:
    """Makes team web and its app shop."""
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")


@pytest.fixture
def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


def listed(ask: Ask, endpoint: str = MODEL) -> Any:
    return next(each for each in ask("models", "list") if each["endpoint"] == endpoint)


def test_a_models_end_is_decided_shown_and_undone(
    falgate: Falgate, ask: Ask, tomorrow: str
) -> None:
    said = falgate("models", "retire", MODEL, "--on", tomorrow, "--then", "redirect").stdout

    assert said == (
        f"{MODEL} ends on {tomorrow}; requests that the cache cannot answer go to its successor\n"
    )
    assert listed(ask)["retires"] == tomorrow
    assert listed(ask)["afterwards"] == "redirect"
    assert listed(ask)["successor"] == SUCCESSOR
    falgate("models", "retire", MODEL, "--to", NEWER)
    assert (listed(ask)["retires"], listed(ask)["successor"]) == (tomorrow, NEWER)
    assert MODEL in falgate("audit", "--limit", "1").stdout
    falgate("models", "retire", MODEL, "--reset")
    assert (listed(ask)["retires"], listed(ask)["successor"], listed(ask)["afterwards"]) == (
        "2026-12-01", SUCCESSOR, "serve-cached",
    )  # fmt: skip


def test_the_status_says_what_ends_soon_and_who_calls_it(
    falgate: Falgate, ask: Ask, tomorrow: str
) -> None:
    assert SUCCESSOR not in falgate("status").stdout
    falgate("models", "retire", SUCCESSOR, "--on", tomorrow, "--to", NEWER)

    assert (
        f"models    {SUCCESSOR} ends on {tomorrow}, in 1 day; its successor is {NEWER}; "
        "called by no app" in falgate("status").stdout
    )
    falgate("models", "retire", SUCCESSOR, "--on", "2026-01-02")
    assert f"{SUCCESSOR} has ended on 2026-01-02; its successor is" in falgate("status").stdout
    assert [each["endpoint"] for each in ask("status")["ending"]] == [SUCCESSOR]


def test_an_app_has_its_own_way(falgate: Falgate, ask: Ask) -> None:
    said = falgate("models", "retire", MODEL, "--then", "redirect", "--app", "web/shop").stdout
    assert "for app web/shop: requests that the cache cannot answer go to its successor" in said
    assert ask("apps", "show", "web/shop")["afterwards"] == {MODEL: "redirect"}
    falgate("models", "retire", MODEL, "--reset", "--app", "web/shop")
    assert ask("apps", "show", "web/shop")["afterwards"] == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((MODEL,), "give --on, --to or --then, or --reset alone"),
        ((MODEL, "--reset", "--to", NEWER), "give --on, --to or --then, or --reset alone"),
        ((MODEL, "--to", "acme/nothing"), "'acme/nothing' is not served"),
        ((MODEL, "--to", MODEL), "lead back to it"),
        ((SUCCESSOR, "--to", MODEL), "lead back to it"),
        ((NEWER, "--then", "redirect"), "has no successor to redirect to"),
        ((MODEL, "--on", "soon"), "is not a day"),
        (("acme/nothing", "--on", "2026-12-01"), "acme/nothing"),
        ((MODEL, "--on", "2026-12-01", "--app", "web/shop"), "only a --then of its own"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    options: tuple[str, ...], words: str, refused: Refused
) -> None:
    assert words in refused("models", "retire", *options)
