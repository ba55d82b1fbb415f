"""Budgets: whose may be set, what their amounts may be, and what is never left without one."""

from typing import Any

import pytest

from falgate.admin.service import AdminService
from falgate.core.account import ORGANISATION, Account
from falgate.core.money import MICROS_MAX
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.money.budget import Budget

TEAM = Account("team", "web")


async def test_a_budget_is_made_changed_and_removed(admin: AdminService) -> None:
    made = await admin.budgets.create(TEAM, "day", Budget(limit=25_000_000, alerts=(80, 95)))
    assert (made.limit, made.remaining) == (25_000_000, 25_000_000)

    changed = await admin.budgets.set(TEAM, "day", lambda _: Budget(limit=5, shadow=True))
    assert (changed.limit, changed.enforced) == (5, False)
    assert [(each.account.name, each.window.kind) for each in await admin.budgets.all()] == [
        ("organisation:main", "day"),
        ("team:web", "day"),
    ]

    await admin.budgets.remove(TEAM, "day")

    with pytest.raises(NotFound, match="team:web has no day budget"):
        await admin.budgets.show(TEAM, "day")
    with pytest.raises(NotFound):
        await admin.budgets.remove(TEAM, "day")


async def test_a_second_budget_of_one_window_is_refused_and_the_first_one_named(
    admin: AdminService,
) -> None:
    await admin.budgets.create(TEAM, "day", Budget(limit=25_000_000))
    with pytest.raises(Conflict, match=r"team:web already has a day budget of \$25.00"):
        await admin.budgets.create(TEAM, "day", Budget(limit=7))
    await admin.budgets.create(TEAM, "week", Budget(limit=7))

    assert (await admin.budgets.show(TEAM, "day")).limit == 25_000_000


@pytest.mark.parametrize(
    "name", ["team:nope", "app:web/nope", "app:nope/shop", "key:nope", "model:no/pe"]
)
async def test_a_budget_is_of_somebody_who_is_there(name: str, admin: AdminService) -> None:
    level, _, subject = name.partition(":")
    account: Any = Account(level, subject)  # type: ignore[arg-type]  # one of the levels
    with pytest.raises(NotFound):
        await admin.budgets.create(account, "day", Budget(limit=1))
    with pytest.raises(NotFound):
        await admin.budgets.set(account, "day", lambda _: Budget(limit=1))
    with pytest.raises(NotFound):
        await admin.budgets.positions(account)


async def test_a_model_has_a_budget_while_it_is_served_and_loses_it_afterwards(
    admin: AdminService, world: Any
) -> None:
    model, former = Account("model", "openai/gpt-image-2"), Account("model", "acme/former")
    made = await admin.budgets.create(model, "day", Budget(limit=7))
    assert (made.account, made.limit) == (model, 7)
    with pytest.raises(NotFound, match=r"no model acme/former; there are: fal-ai/gpt-image-1\.5, "):
        await admin.budgets.create(former, "day", Budget(limit=7))

    world.books.budgets["fal", former, "day"] = Budget(limit=7)
    world.books.spent[former] = 5
    raised = await admin.budgets.raise_(former, "day", 3)
    assert (raised.limit, raised.remaining) == (10, 5)
    assert (await admin.budgets.reset(former, "day"))[0] == 5
    await admin.budgets.remove(former, "day")

    assert former not in [each.account for each in await admin.budgets.all()]


@pytest.mark.parametrize(
    "budget",
    [
        Budget(limit=-1),
        Budget(limit=MICROS_MAX + 1),
        Budget(limit=1, alerts=(0,)),
        Budget(limit=1, alerts=(1001,)),
        Budget(limit=1, alerts=(95, 80)),
        Budget(limit=1, alerts=(80, 80)),
    ],
)
async def test_amounts_and_alerts_have_bounds(budget: Budget, admin: AdminService) -> None:
    with pytest.raises(Invalid, match=r"limit|alerts"):
        await admin.budgets.create(TEAM, "day", budget)
    with pytest.raises(Invalid, match=r"limit|alerts"):
        await admin.budgets.set(TEAM, "day", lambda _: budget)


async def test_a_limit_below_what_is_spent_leaves_nothing(admin: AdminService, world: Any) -> None:
    world.books.spent[TEAM] = 10

    lowered = await admin.budgets.set(TEAM, "day", lambda _: Budget(limit=3))

    assert (lowered.spent, lowered.remaining) == (10, 0)


async def test_the_organisation_s_last_enforced_budget_stays(admin: AdminService) -> None:
    with pytest.raises(Conflict, match="last enforced one"):
        await admin.budgets.remove(ORGANISATION, "day")
    with pytest.raises(Conflict, match="last enforced one"):
        await admin.budgets.set(ORGANISATION, "day", lambda _: Budget(limit=1, shadow=True))

    await admin.budgets.create(ORGANISATION, "week", Budget(limit=1, shadow=True))
    with pytest.raises(Conflict, match="last enforced one"):
        await admin.budgets.remove(ORGANISATION, "day")

    await admin.budgets.set(ORGANISATION, "week", lambda _: Budget(limit=1))
    await admin.budgets.remove(ORGANISATION, "day")

    assert [each.window.kind for each in await admin.budgets.all()] == ["week"]


async def test_a_raise_adds_to_a_budget_that_is_there(admin: AdminService) -> None:
    with pytest.raises(NotFound):
        await admin.budgets.raise_(TEAM, "day", 10)
    await admin.budgets.create(TEAM, "day", Budget(limit=5))

    await admin.budgets.raise_(TEAM, "day", 10, "one")
    raised = await admin.budgets.raise_(TEAM, "day", 10, "one")

    assert (raised.limit, raised.raised) == (15, 10)


@pytest.mark.parametrize("amount", [0, -1, MICROS_MAX])
async def test_a_raise_has_bounds(amount: int, admin: AdminService) -> None:
    await admin.budgets.create(TEAM, "day", Budget(limit=5))
    with pytest.raises(Invalid):
        await admin.budgets.raise_(TEAM, "day", amount)


async def test_a_reset_says_what_it_forgave(admin: AdminService, world: Any) -> None:
    with pytest.raises(NotFound):
        await admin.budgets.reset(TEAM, "day")
    await admin.budgets.create(TEAM, "day", Budget(limit=5))
    world.books.spent[TEAM] = 4

    forgiven, position = await admin.budgets.reset(TEAM, "day")

    assert (forgiven, position.remaining) == (4, 5)


async def test_the_change_ids_of_different_budgets_are_no_repeats(
    admin: AdminService, world: Any
) -> None:
    for kind in ("day", "week"):
        await admin.budgets.create(TEAM, kind, Budget(limit=5))
        await admin.budgets.raise_(TEAM, kind, 10, "one")

    assert len(set(world.books.changes)) == 2


async def test_a_key_has_its_budgets_in_the_books_that_it_spends_in(
    admin: AdminService, world: Any
) -> None:
    key_id = (await admin.keys.create("web/shop", kind="test")).record.id
    account = Account("key", key_id)
    with pytest.raises(Conflict, match="is a test key"):
        await admin.budgets.create(account, "day", Budget(limit=5))

    await world.admin("test").budgets.create(account, "day", Budget(limit=5))

    assert ("test", account, "day") in world.books.budgets


async def test_the_overage_has_a_limit(admin: AdminService, world: Any) -> None:
    assert await admin.budgets.set_overage(5) == (5, 0)
    assert world.books.limits == {"fal": 5}
    for limit in (-1, MICROS_MAX + 1):
        with pytest.raises(Invalid, match="overage"):
            await admin.budgets.set_overage(limit)


async def test_before_a_first_start_there_are_no_live_books(world: Any) -> None:
    fresh = AdminService(
        world.records, world.books, world.stops, who="x", upstreams={"test": "test"}, models={}
    )
    with pytest.raises(Conflict, match="start one first"):
        await fresh.budgets.all()
