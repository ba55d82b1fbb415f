"""Applying a file: what somebody else has changed since the plan was made is not overwritten."""

import pytest

from falgate.accounts.directory import Team
from falgate.admin import apply as applying
from falgate.admin import config
from falgate.admin.service import AdminService
from falgate.core.account import Account
from falgate.core.problems import Conflict
from falgate.money.budget import Budget

TEAM = Account("team", "web")
FILE = """
[team.web]
weight = 2
budget.day.limit_usd = 9
"""


@pytest.mark.parametrize("whose", ["team", "budget"])
async def test_a_change_made_since_the_plan_is_not_overwritten(
    whose: str, admin: AdminService
) -> None:
    await admin.budgets.create(TEAM, "day", Budget(limit=5, alerts=(80,)))
    wanted = config.read(FILE, await applying.state(admin))
    steps = await applying.prepare(admin, wanted, prune=False)
    if whose == "team":
        await admin.teams.change("web", lambda _: Team(weight=5))
    else:
        await admin.budgets.set(TEAM, "day", lambda _: Budget(limit=7))

    with pytest.raises(Conflict, match=f"{whose} .*was changed meanwhile"):
        await applying.act(admin, steps)

    now = await applying.state(admin)
    kept = now.teams["web"].weight if whose == "team" else now.budgets[TEAM, "day"].limit
    assert kept == (5 if whose == "team" else 7)
