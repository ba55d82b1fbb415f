"""What can be stopped: its name, its words, and what a caller is told."""

import pytest

from falgate.core.account import ORGANISATION, chain
from falgate.money.stop import WHOLE, Stop, Stopped, Subject, stoppable, subject

NAMES = {
    "organisation:main": WHOLE,
    "team:web": Subject("team", "web"),
    "app:web/shop": Subject("app", "web/shop"),
    "model:fal-ai/easel/edit": Subject("model", "fal-ai/easel/edit"),
}


@pytest.mark.parametrize(("name", "meant"), NAMES.items())
def test_a_subject_is_read_as_it_is_written(name: str, meant: Subject) -> None:
    assert subject(name) == meant
    assert meant.name == name


def test_the_organisation_needs_no_name() -> None:
    assert subject("organisation") == WHOLE


@pytest.mark.parametrize("name", ["", "web", "team:", "organisation:", "organisation:web", "key:k"])
def test_what_cannot_be_stopped_is_no_subject(name: str) -> None:
    with pytest.raises(ValueError, match="is not organisation:main, team:NAME, app:TEAM/APP or"):
        subject(name)


def test_a_purchase_is_stopped_by_all_of_its_accounts_but_its_key_and_by_its_model() -> None:
    found = stoppable(chain("web", "shop", "k"), "acme/easel")

    assert [each.name for each in found] == [
        *("organisation:main", "team:web", "app:web/shop", "model:acme/easel")
    ]
    assert [each.name for each in stoppable((ORGANISATION,), "m")] == [WHOLE.name, "model:m"]


@pytest.mark.parametrize(
    ("name", "why", "words"),
    [
        (
            "organisation:main",
            "a leak",
            "An operator stopped purchases for the organisation: a leak",
        ),
        ("team:web", "", "An operator stopped purchases for team web"),
        ("model:acme/easel", "x", "An operator stopped purchases for model acme/easel: x"),
    ],
)
def test_callers_are_told_what_and_why_but_not_who(name: str, why: str, words: str) -> None:
    refusal = Stopped(subject(name), Stop(who="admin:ann", stopped_s=1, why=why)).refusal()

    assert refusal.status == 402
    assert refusal.body() == {"detail": words, "error_type": "buying_stopped"}
    assert refusal.headers() == {"X-Fal-Error-Type": "buying_stopped"}
    assert refusal.subject == name
