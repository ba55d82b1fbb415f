"""A plan: only what differs, in an order in which each step can be done."""

import pytest

from falgate.accounts.directory import Alias, App, Model, Team
from falgate.accounts.limits import PurchaseRates
from falgate.admin.plan import State, Step, plan
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Kind
from falgate.money.budget import Budget

SERVED = ("acme/easel", "acme/brush")
EMPTY = State({}, {}, {})
DAY: tuple[Account, Kind] = (ORGANISATION, "day")
FULL = State(
    {"web": Team()},
    {"web/shop": App()},
    {DAY: Budget(limit=9), (Account("team", "web"), "month"): Budget(limit=5)},
    {"acme/easel": Model(limits=PurchaseRates(generations_at_once=2))},
    {"acme/image": Alias(target="acme/easel")},
)


def told(steps: list[Step]) -> list[tuple[str, str, str]]:
    return [(step.action, step.what, step.subject) for step in steps]


def test_everything_is_made_from_the_root_on() -> None:
    assert told(plan(EMPTY, FULL, prune=False, in_use=(), served=SERVED)) == [
        ("create", "team", "web"),
        ("create", "app", "web/shop"),
        ("create", "model", "acme/easel"),
        ("create", "alias", "acme/image"),
        ("create", "budget", "organisation:main"),
        ("create", "budget", "team:web"),
    ]


@pytest.mark.parametrize("prune", [False, True])
def test_what_is_as_asked_needs_no_step(*, prune: bool) -> None:
    assert plan(FULL, FULL, prune=prune, in_use=("web/shop",), served=SERVED) == []


def test_a_change_has_what_is_and_what_will_be() -> None:
    wanted = State({"web": Team(weight=2)}, {}, {})

    (step,) = plan(FULL, wanted, prune=False, in_use=(), served=SERVED)

    assert (step.action, step.before, step.after) == ("change", Team(), Team(weight=2))


def test_what_is_not_asked_for_is_left_without_prune() -> None:
    assert plan(FULL, EMPTY, prune=False, in_use=(), served=SERVED) == []


def test_what_is_not_asked_for_goes_from_the_leaves_on() -> None:
    wanted = State({}, {}, {DAY: Budget(limit=9)})

    assert told(plan(FULL, wanted, prune=True, in_use=(), served=SERVED)) == [
        ("remove", "budget", "team:web"),
        ("remove", "alias", "acme/image"),
        ("remove", "model", "acme/easel"),
        ("remove", "app", "web/shop"),
        ("remove", "team", "web"),
    ]


def test_the_last_enforced_budget_and_apps_in_use_are_not_removed() -> None:
    steps = plan(FULL, EMPTY, prune=True, in_use=("web/shop",), served=SERVED)

    blocked = {step.subject: step.blocked for step in steps if step.blocked}
    assert blocked.keys() == {"organisation:main", "web/shop"}
    assert "keys" in blocked["web/shop"]


def test_a_model_that_is_not_served_is_not_limited_anew_and_what_limits_it_goes() -> None:
    oil: tuple[Account, Kind] = (Account("model", "acme/oil"), "day")
    model = Model(limits=PurchaseRates(generations_at_once=2))
    limits = State({}, {}, {DAY: Budget(limit=9), oil: Budget(limit=5)}, {"acme/oil": model})

    made = plan(EMPTY, limits, prune=False, in_use=(), served=SERVED)
    kept = plan(limits, limits, prune=True, in_use=(), served=SERVED)
    gone = plan(limits, State({}, {}, {DAY: Budget(limit=9)}), prune=True, in_use=(), served=SERVED)

    said = "falgate serves no such model; it serves acme/easel, acme/brush"
    assert {step.subject: step.blocked for step in made} == {
        "acme/oil": said,
        "organisation:main": "",
        "model:acme/oil": said,
    }
    assert kept == []
    assert [(step.action, step.blocked) for step in gone] == [("remove", "")] * 2


MONTH: tuple[Account, Kind] = (ORGANISATION, "month")


def test_at_no_step_is_the_organisation_without_an_enforced_budget() -> None:
    wanted = State({}, {}, {DAY: Budget(limit=9, shadow=True), MONTH: Budget(limit=100)})

    first, second = plan(FULL, wanted, prune=False, in_use=(), served=SERVED)
    assert [(first.action, first.kind), (second.action, second.kind)] == [
        ("create", "month"),
        ("change", "day"),
    ]
    assert (first.blocked, second.blocked) == ("", "")


def test_what_would_leave_the_organisation_without_one_is_shown_as_blocked() -> None:
    wanted = State({}, {}, {DAY: Budget(limit=9, shadow=True)})

    (step,) = plan(FULL, wanted, prune=False, in_use=(), served=SERVED)
    assert "nothing is bought" in step.blocked
