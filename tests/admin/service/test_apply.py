"""Applying a file: what somebody else has changed since the plan was made is not overwritten."""

import pytest
from msgspec.structs import replace

from falgate.accounts.directory import Alias, Model, Team
from falgate.accounts.limits import PurchaseRates
from falgate.admin import apply as applying
from falgate.admin import config
from falgate.admin.service import AdminService
from falgate.core.account import Account
from falgate.core.problems import Conflict
from falgate.money.budget import Budget

TEAM, MODEL = Account("team", "web"), Account("model", "openai/gpt-image-2")
SUCCESSOR = "openai/gpt-image-2.5/flare/text-to-image"
LIMITED = PurchaseRates(generations_per_minute=5)
FILE = """
[team.web]
weight = 2
budget.day.limit_usd = 9
[model."openai/gpt-image-2"]
limits.generations_per_minute = 9
"""


async def applied(admin: AdminService, text: str, *, prune: bool = False) -> list[str]:
    """What was done, as a file says."""
    wanted = config.read(text, await applying.state(admin))
    steps = await applying.prepare(admin, wanted, prune=prune)
    await applying.act(admin, steps)
    return [f"{step.action} {step.what} {step.subject}" for step in steps]


async def test_a_models_limits_and_budget_are_set_changed_and_removed(admin: AdminService) -> None:
    text = f'[organisation.budget.day]\n[team.web.app.shop]\n[model."{MODEL.id}"]\n'
    limits = f"{text}limits.generations_at_once = 2\nbudget.day.limit_usd = 9"

    assert await applied(admin, limits) == [
        f"create model {MODEL.id}",
        f"create budget {MODEL.name}",
    ]
    assert await applied(admin, limits) == []
    record = await admin.served.show(MODEL.id)
    assert record.limits == PurchaseRates(generations_at_once=2)
    assert (await admin.budgets.show(MODEL, "day")).limit == 9_000_000

    fewer = limits.replace("at_once = 2", "at_once = 1")
    assert await applied(admin, fewer) == [f"change model {MODEL.id}"]
    none = limits.replace("at_once = 2", "at_once = 0")
    assert await applied(admin, none) == [f"change model {MODEL.id}"]
    assert (await applying.state(admin)).models == {}

    await admin.served.change(MODEL.id, lambda was: replace(was, successor=SUCCESSOR))
    await applied(admin, limits)
    file = config.write(await applying.state(admin))
    assert await applied(admin, file, prune=True) == []
    bare = text.replace(f'[model."{MODEL.id}"]', "")
    assert await applied(admin, bare, prune=True) == [
        f"remove budget {MODEL.name}",
        f"remove model {MODEL.id}",
    ]
    assert await admin.served.show(MODEL.id) == Model()


async def test_an_alias_is_set_moved_and_removed(admin: AdminService) -> None:
    text = f'[team.web]\n[alias]\n"acme/image" = "{SUCCESSOR}"'
    assert await applied(admin, text) == ["create alias acme/image"]
    assert await applied(admin, text) == []
    moved = text.replace(SUCCESSOR, MODEL.id)
    assert await applied(admin, moved) == ["change alias acme/image"]
    assert await admin.aliases.all() == {"acme/image": Alias(target=MODEL.id)}
    bare = config.write(replace(await applying.state(admin), aliases={}))
    assert await applied(admin, bare, prune=True) == ["remove alias acme/image"]


async def test_a_file_that_limits_an_unknown_model_changes_nothing(admin: AdminService) -> None:
    with pytest.raises(Conflict, match=r"model a/b cannot be created: falgate serves no such"):
        await applied(admin, '[team.ads]\n[model."a/b"]\nlimits.generations_at_once = 2')

    assert set(await admin.teams.all()) == {"web"}


@pytest.mark.parametrize("whose", ["team", "model", "budget"])
async def test_a_change_made_since_the_plan_is_not_overwritten(
    whose: str, admin: AdminService
) -> None:
    await admin.budgets.create(TEAM, "day", Budget(limit=5, alerts=(80,)))
    wanted = config.read(FILE, await applying.state(admin))
    steps = await applying.prepare(admin, wanted, prune=False)
    if whose == "team":
        await admin.teams.change("web", lambda _: Team(weight=5))
    elif whose == "model":
        await admin.served.change(MODEL.id, lambda was: replace(was, limits=LIMITED))
    else:
        await admin.budgets.set(TEAM, "day", lambda _: Budget(limit=7))

    with pytest.raises(Conflict, match=f"{whose} .*was changed meanwhile"):
        await applying.act(admin, steps)

    now = await applying.state(admin)
    match whose:
        case "team":
            assert now.teams["web"].weight == 5
        case "model":
            assert now.models == {MODEL.id: Model(limits=LIMITED)}
        case _:
            assert now.budgets[TEAM, "day"].limit == 7
