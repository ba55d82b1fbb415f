"""`falgate stop` and `falgate resume`."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from falgate.models.endpoints import MODELS

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]
MODEL = next(iter(MODELS))
SUBJECTS = {
    "organisation:main": (),
    "team:web": ("--team", "web"),
    "app:web/shop": ("--app", "web/shop"),
    f"model:{MODEL}": ("--model", MODEL),
}


@pytest.fixture(autouse=True)
def web(falgate: Falgate) -> None:
    """Makes team web and its app shop."""
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_something_is_stopped_shown_and_resumed(subject: str, falgate: Falgate, ask: Ask) -> None:
    options = SUBJECTS[subject]
    said = falgate("stop", *options, "--why", "a leak").stdout
    assert said.startswith(f"purchases are stopped for {subject} since ")
    assert said.endswith(": a leak\n")

    (stop,) = ask("stop", "--list")
    assert (stop["subject"], stop["why"]) == (subject, "a leak")
    assert stop["who"].startswith("admin:cli:")
    assert subject in falgate("stop", "--list").stdout
    status = falgate("status").stdout
    assert f"buying    stopped for {subject} since " in status
    assert ask("status")["stops"] == [stop]
    assert "why a leak" in falgate("audit", "--limit", "1").stdout

    assert falgate("resume", *options).stdout == f"{subject} is no longer stopped\n"
    assert ask("stop", "--list") == []
    assert "buying    goes on" in falgate("status").stdout


def test_a_repeat_changes_the_reason_if_one_is_given(ask: Ask) -> None:
    first = ask("stop", "--team", "web", "--why", "a leak")

    assert ask("stop", "--team", "web") == first
    assert ask("stop", "--team", "web", "--why", "no leak") == {**first, "why": "no leak"}
    assert [each["why"] for each in ask("stop", "--list")] == ["no leak"]


def test_each_stop_is_resumed_by_itself_and_the_others_are_named(
    falgate: Falgate, ask: Ask
) -> None:
    for options in SUBJECTS.values():
        ask("stop", *options)

    said = falgate("resume").stdout.splitlines()

    assert said[0] == "organisation:main is no longer stopped"
    assert [line.split(" since ")[0] for line in said[1:]] == [
        f"still stopped: {subject}" for subject in list(SUBJECTS)[1:]
    ]
    left = ask("resume", "--team", "web")
    assert left["resumed"] == "team:web"
    assert [each["subject"] for each in left["stopped"]] == ["app:web/shop", f"model:{MODEL}"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("stop", "--team", "we"), "There is no team we; there are: web"),
        (("stop", "--app", "web/sho"), "There is no app web/sho; there are: web/shop"),
        (("stop", "--model", "dall-e"), f"There is no model dall-e; there are: {MODEL}"),
        (("stop", "--team", ""), "subject_name"),
        (("stop", "--model", ""), "subject_name"),
        (("resume", "--team", ""), "subject_name"),
        (("stop", "--team", "web", "--model", MODEL), "give one of"),
        (("resume", "--team", "web", "--app", "web/shop"), "give one of"),
        (("stop", "--list", "--team", "web"), "--list stops nothing"),
        (("stop", "--list", "--why", "x"), "--list stops nothing"),
        (("stop", "--why", "\x1b[2J"), "why: one line"),
        (("resume",), "organisation:main is not stopped; stopped are: app:web/shop"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], complaint: str, refused: Refused, ask: Ask
) -> None:
    before = ask("stop", "--app", "web/shop")

    assert complaint in refused(*arguments)
    assert ask("stop", "--list") == [before]


def test_a_quote_says_what_is_stopped_and_why(falgate: Falgate, ask: Ask) -> None:
    request = ("quote", '{"prompt": "a cat"}', "--app", "web/shop", "--model", MODEL)
    assert ask(*request)["stopped"] is None
    ask("stop", "--team", "web", "--why", "a leak")

    found = ask(*request)

    assert (found["allowed"], found["stopped"]) == (False, {"subject": "team:web", "why": "a leak"})
    said = falgate(*request).stdout
    assert "refused, because an operator stopped team:web: a leak" in said
