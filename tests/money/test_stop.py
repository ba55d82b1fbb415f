"""What can be stopped: its name, its words, and what a caller is told."""

import pytest

from falgate.core.account import ORGANISATION, Account, chain
from falgate.money.stop import Stop, Stopped, stoppable, subject

NAMES = {
    "organisation:main": ORGANISATION,
    "organisation": ORGANISATION,
    "team:web": Account("team", "web"),
    "app:web/shop": Account("app", "web/shop"),
    "model:fal-ai/easel/edit": Account("model", "fal-ai/easel/edit"),
}


@pytest.mark.parametrize(("name", "meant"), NAMES.items())
def test_every_account_but_a_key_can_be_stopped(name: str, meant: Account) -> None:
    assert subject(name) == meant


@pytest.mark.parametrize("name", ["", "web", "team:", "organisation:web", "key:k"])
def test_what_cannot_be_stopped_is_no_subject(name: str) -> None:
    with pytest.raises(ValueError, match=r"organisation|disable the key instead"):
        subject(name)


def test_a_purchase_is_stopped_by_all_of_its_accounts_but_its_key() -> None:
    found = stoppable(chain("web", "shop", "k", "acme/easel"))

    assert [each.name for each in found] == [
        *("organisation:main", "team:web", "app:web/shop", "model:acme/easel")
    ]


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
