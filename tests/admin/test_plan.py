"""A plan: only what differs, in an order in which each step can be done."""

import pytest

from falgate.accounts.directory import App, Team
from falgate.admin.plan import State, Step, plan
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Kind
from falgate.money.budget import Budget

EMPTY = State({}, {}, {})
DAY: tuple[Account, Kind] = (ORGANISATION, "day")
FULL = State(
    {"web": Team()},
    {"web/shop": App()},
    {DAY: Budget(limit=9), (Account("team", "web"), "month"): Budget(limit=5)},
)


def told(steps: list[Step]) -> list[tuple[str, str, str]]:
    return [(step.action, step.what, step.subject) for step in steps]


def test_everything_is_made_from_the_root_on() -> None:
    assert told(plan(EMPTY, FULL, prune=False, in_use=())) == [
        ("create", "team", "web"),
        ("create", "app", "web/shop"),
        ("create", "budget", "organisation:main"),
        ("create", "budget", "team:web"),
    ]


@pytest.mark.parametrize("prune", [False, True])
def test_what_is_as_asked_needs_no_step(*, prune: bool) -> None:
    assert plan(FULL, FULL, prune=prune, in_use=("web/shop",)) == []


def test_a_change_has_what_is_and_what_will_be() -> None:
    wanted = State({"web": Team(weight=2)}, {}, {})

    (step,) = plan(FULL, wanted, prune=False, in_use=())

    assert (step.action, step.before, step.after) == ("change", Team(), Team(weight=2))


def test_what_is_not_asked_for_is_left_without_prune() -> None:
    assert plan(FULL, EMPTY, prune=False, in_use=()) == []


def test_what_is_not_asked_for_goes_from_the_leaves_on() -> None:
    wanted = State({}, {}, {DAY: Budget(limit=9)})

    assert told(plan(FULL, wanted, prune=True, in_use=())) == [
        ("remove", "budget", "team:web"),
        ("remove", "app", "web/shop"),
        ("remove", "team", "web"),
    ]


def test_the_last_enforced_budget_and_apps_in_use_are_not_removed() -> None:
    steps = plan(FULL, EMPTY, prune=True, in_use=("web/shop",))

    blocked = {step.subject: step.blocked for step in steps if step.blocked}
    assert blocked.keys() == {"organisation:main", "web/shop"}
    assert "keys" in blocked["web/shop"]


MONTH: tuple[Account, Kind] = (ORGANISATION, "month")


def test_at_no_step_is_the_organisation_without_an_enforced_budget() -> None:
    wanted = State({}, {}, {DAY: Budget(limit=9, shadow=True), MONTH: Budget(limit=100)})

    first, second = plan(FULL, wanted, prune=False, in_use=())
    assert [(first.action, first.kind), (second.action, second.kind)] == [
        ("create", "month"),
        ("change", "day"),
    ]
    assert (first.blocked, second.blocked) == ("", "")


def test_what_would_leave_the_organisation_without_one_is_shown_as_blocked() -> None:
    wanted = State({}, {}, {DAY: Budget(limit=9, shadow=True)})

    (step,) = plan(FULL, wanted, prune=False, in_use=())
    assert "nothing is bought" in step.blocked
