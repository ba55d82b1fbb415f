"""Budgets: whose they are, what is left of them, and which of them refuses."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.account import LEVELS, ORGANISATION, Account, account, chain
from falgate.core.calendar import Window
from falgate.core.money import MICROS_MAX
from falgate.models.endpoints import MODELS
from falgate.money.budget import Budget, Position, tightest
from falgate.redis import keyspace

DAY = Window("day", "2026-11-22", 0, 1)
amounts = st.integers(0, MICROS_MAX)


def position(budget: Budget | None, *, raised: int = 0, spent: int = 0, held: int = 0) -> Position:
    return Position(
        account=ORGANISATION, window=DAY, budget=budget, raised=raised, spent=spent, held=held
    )


def test_a_purchase_is_charged_to_everybody_above_its_key_and_to_its_model() -> None:
    accounts = chain("web", "shop", "k1", "acme/easel/edit")

    assert tuple(each.level for each in accounts) == LEVELS
    assert [each.name for each in accounts] == [
        "organisation:main",
        "team:web",
        "app:web/shop",
        "key:k1",
        "model:acme/easel/edit",
    ]


def test_nobody_is_charged_in_place_of_what_is_not_known() -> None:
    assert chain("web", "shop", "k") == chain("web", "shop", "k", "m")[:-1]
    assert [each.name for each in chain(endpoint="m")] == ["organisation:main", "model:m"]


def test_apps_of_one_name_in_two_teams_are_two() -> None:
    assert chain("web", "shop", "k")[2] != chain("back", "shop", "k")[2]


@pytest.mark.parametrize(
    "found", [*chain("web", "shop", "k1", "a/b"), *(Account("model", each) for each in MODELS)]
)
def test_an_accounts_name_is_read_back(found: Account) -> None:
    assert account(found.name) == found
    assert keyspace.account_of(keyspace.account("https://queue.example", found))[1] == found


def test_the_organisation_needs_no_name() -> None:
    assert account("organisation") == ORGANISATION == account("organisation:main")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not organisation, team:NAME, app:TEAM/APP, key:ID or model:ENDPOINT"),
        ("team", "'team' is not organisation, team:NAME"),
        ("team:", "'team:' is not"),
        ("team:web/shop", "'team:web/shop' is not"),
        ("app:shop", "'app:shop' is not"),
        ("key:", "'key:' is not"),
        ("model:", "'model:' is not"),
        ("web", "'web' is not"),
        ("user:web", "'user:web' is not"),
        ("TEAM:web", "'TEAM:web' is not"),
        ("organisation:other", "the organisation has one account, organisation:main"),
    ],
)
def test_what_names_nobody_is_refused_with_what_would(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        account(text)


@given(amounts, amounts, amounts, amounts)
def test_remaining_is_limit_minus_spent_minus_held_and_never_below_zero(
    limit: int, raised: int, spent: int, held: int
) -> None:
    found = position(Budget(limit=limit), raised=raised, spent=spent, held=held)

    assert found.limit == limit + raised
    assert found.remaining == max(0, limit + raised - spent - held)


def test_spending_that_is_only_counted_has_no_limit() -> None:
    counted = position(None, raised=5, spent=MICROS_MAX)

    assert (counted.limit, counted.remaining, counted.enforced) == (None, None, False)


def test_a_limit_lowered_below_what_is_spent_leaves_nothing() -> None:
    lowered = position(Budget(limit=10), spent=50)

    assert lowered.remaining == 0


def test_the_tightest_is_the_enforced_one_with_the_least_left() -> None:
    wide, narrow = position(Budget(limit=10)), position(Budget(limit=100), spent=99)
    shadow, counted = position(Budget(limit=0, shadow=True)), position(None)

    assert tightest([wide, shadow, narrow, counted]) == narrow
    assert tightest([shadow, counted]) is None
    assert tightest([]) is None


def test_an_empty_budget_is_the_tightest() -> None:
    empty = position(Budget(limit=0))

    assert tightest([position(Budget(limit=1)), empty]) == empty


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"limit": -1},
        {"limit": 1.5},
        {"limit": float("nan")},
        {"limit": "1"},
        {"limit": True},
        {"limit": MICROS_MAX + 1},
        {"limit": 1, "alerts": [0]},
        {"limit": 1, "alerts": [1001]},
        {"limit": 1, "shadow": 1},
        {"limit": 1, "window": "day"},
    ],
)
def test_what_is_no_limit_is_no_budget(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Budget)


@pytest.mark.parametrize("limit", [0, 1, MICROS_MAX])
def test_a_budget_is_stored_and_read_back(limit: int) -> None:
    budget = Budget(limit=limit, shadow=True, alerts=(50, 100))

    assert msgspec.json.decode(msgspec.json.encode(budget), type=Budget) == budget
