"""Teams, apps and limits: what may be made, changed and removed, and what is refused."""

from typing import Any

import pytest
from msgspec.structs import replace

from falgate.accounts.directory import App, Team
from falgate.accounts.limits import Limits
from falgate.admin.service import AdminService
from falgate.core.account import ORGANISATION, Account
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.money.budget import Budget

BAD_NAMES = ["", " ", "a b", "a/b", "a:b", "-a", ".", "..", "a\n", "ä", "x" * 65]


async def test_a_team_is_made_shown_changed_and_removed(admin: AdminService) -> None:
    await admin.teams.create("ads", Team(weight=3))
    changed = await admin.teams.change("ads", lambda was: replace(was, waiting_generations=5))
    assert changed == Team(weight=3, waiting_generations=5)
    assert await admin.teams.show("ads") == changed
    assert await admin.teams.all() == {"ads": changed, "web": Team()}

    await admin.teams.remove("ads")

    with pytest.raises(NotFound, match="There is no team ads"):
        await admin.teams.show("ads")


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_has_no_sign_that_means_something_elsewhere(
    name: str, admin: AdminService
) -> None:
    with pytest.raises(Invalid, match="A name has"):
        await admin.teams.create(name, Team())
    with pytest.raises(Invalid, match="A name has"):
        await admin.apps.create(f"web/{name}", App())


@pytest.mark.parametrize(
    "team",
    [
        Team(weight=0),
        Team(weight=1001),
        Team(waiting_generations=-1),
        Team(limits=Limits(generations_at_once=-1)),
        Team(limits=Limits(requests_per_second=10**9)),
    ],
)
async def test_a_setting_that_makes_no_sense_is_named(team: Team, admin: AdminService) -> None:
    with pytest.raises(Invalid, match=r"^(weight|waiting_generations|limits\.\w+): "):
        await admin.teams.create("ads", team)
    with pytest.raises(Invalid):
        await admin.teams.change("web", lambda _: team)


async def test_what_is_there_is_not_made_again(admin: AdminService) -> None:
    with pytest.raises(Conflict, match="already"):
        await admin.teams.create("web", Team())
    with pytest.raises(Conflict, match="already"):
        await admin.apps.create("web/shop", App())


async def test_an_app_needs_its_team(admin: AdminService) -> None:
    with pytest.raises(NotFound, match="no team nope; create it first"):
        await admin.apps.create("nope/shop", App())
    with pytest.raises(NotFound):
        await admin.apps.all("nope")
    with pytest.raises(Invalid, match="web/shop"):
        await admin.apps.create("shop", App())


async def test_a_team_s_apps_are_its_own(admin: AdminService) -> None:
    await admin.teams.create("we", Team())
    await admin.apps.create("we/x", App())

    assert [*await admin.apps.all("we")] == ["we/x"]
    assert [*await admin.apps.all()] == ["we/x", "web/shop"]


async def test_a_team_with_apps_stays(admin: AdminService) -> None:
    with pytest.raises(Conflict, match="web/shop"):
        await admin.teams.remove("web")


async def test_an_app_with_a_key_that_is_not_revoked_stays(admin: AdminService) -> None:
    made = await admin.keys.create("web/shop")
    await admin.keys.change(made.record.id, lambda was: replace(was, disabled=True))
    with pytest.raises(Conflict, match=made.record.id):
        await admin.apps.remove("web/shop")

    await admin.keys.revoke(made.record.id)
    await admin.apps.remove("web/shop")

    assert await admin.apps.all() == {}


@pytest.mark.parametrize("upstream", ["fal", "test"])
async def test_who_has_a_budget_in_any_books_stays(
    upstream: str, admin: AdminService, world: Any
) -> None:
    world.books.budgets[upstream, Account("app", "web/shop"), "week"] = Budget(limit=1)
    with pytest.raises(Conflict, match="week budget"):
        await admin.apps.remove("web/shop")


async def test_somebody_else_s_change_is_not_lost(admin: AdminService, world: Any) -> None:
    def once() -> None:
        world.records.interfere = lambda: None
        world.records.teams["web"] = Team(weight=7)

    world.records.interfere = once

    changed = await admin.teams.change("web", lambda was: replace(was, waiting_generations=5))

    assert changed == Team(weight=7, waiting_generations=5)


async def test_a_record_that_never_stands_still_is_given_up(
    admin: AdminService, world: Any
) -> None:
    weights = iter(range(2, 1000))

    def always() -> None:
        world.records.teams["web"] = Team(weight=next(weights))

    world.records.interfere = always

    with pytest.raises(Conflict, match="at the same time"):
        await admin.teams.change("web", lambda was: replace(was, waiting_generations=5))
    world.records.apps.clear()
    with pytest.raises(Conflict, match="just now"):
        await admin.teams.remove("web")


async def test_limits_are_set_on_teams_apps_and_keys(admin: AdminService) -> None:
    key = (await admin.keys.create("web/shop")).record
    accounts = [Account("team", "web"), Account("app", "web/shop"), Account("key", key.id)]
    for account in accounts:
        limits = Limits(generations_at_once=4, requests_per_second=9)
        limited: Any = admin.limited(account)
        await limited.change(account.id, lambda was, now=limits: replace(was, limits=now))

        assert (await limited.show(account.id)).limits == limits

    with pytest.raises(Invalid, match="not for the organisation"):
        admin.limited(ORGANISATION)
    with pytest.raises(NotFound):
        await admin.limited(Account("team", "nope")).show("nope")


async def test_the_audit_log_is_read_from_its_end(admin: AdminService) -> None:
    for name in ("a", "b", "c"):
        await admin.teams.create(name, Team())

    newest = await admin.audit(2)

    assert [(line.subject, line.who) for line in newest] == [("c", "somebody"), ("b", "somebody")]
    assert [line.subject for line in await admin.audit(9, before=newest[-1].id)] == ["a"]
