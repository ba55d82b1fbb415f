"""Stops as operators set them: of what there is, once, with a reason that can be changed."""

from typing import Any

import pytest

from falgate.admin.service import AdminService
from falgate.core.account import ORGANISATION, Account
from falgate.core.problems import Invalid, NotFound
from falgate.models.endpoints import MODELS
from falgate.money.stop import Stop

TEAM, APP = Account("team", "web"), Account("app", "web/shop")
MODEL = Account("model", next(iter(MODELS)))


@pytest.mark.parametrize("subject", [ORGANISATION, TEAM, APP, MODEL])
async def test_what_there_is_is_stopped_and_resumed(
    subject: Account, admin: AdminService, world: Any
) -> None:
    stopped = await admin.stops.stop(subject, "a leak")

    assert (stopped.subject, stopped.stop.who, stopped.stop.why) == (subject, "somebody", "a leak")
    assert stopped.stop.stopped_s == await admin.now_s()
    assert await admin.stops.all() == [stopped]
    await admin.stops.resume(subject)
    assert await admin.stops.all() == []
    assert world.stops.changes == [("somebody", subject.name)] * 2


async def test_to_stop_again_changes_the_reason_and_nothing_else(
    admin: AdminService, world: Any
) -> None:
    world.stops.kept[TEAM] = first = Stop(who="ann", stopped_s=1, why="a leak")

    assert (await admin.stops.stop(TEAM)).stop == first
    changed = (await admin.stops.stop(TEAM, "no leak")).stop
    assert changed == Stop(who="ann", stopped_s=1, why="no leak")
    assert (await admin.stops.stop(TEAM, "")).stop.why == ""


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (Account("team", "we"), "There is no team we; there are: web"),
        (Account("app", "web/sho"), "There is no app web/sho; there are: web/shop"),
        (Account("model", "dall-e"), f"There is no model dall-e; there are: {MODEL.id}"),
    ],
)
async def test_what_is_not_there_is_not_stopped_and_what_is_there_is_named(
    subject: Account, words: str, admin: AdminService, world: Any
) -> None:
    with pytest.raises(NotFound, match=words):
        await admin.stops.stop(subject, "a leak")
    assert world.stops.kept == {}


async def test_of_many_names_some_are_told_and_the_rest_counted(
    admin: AdminService, world: Any
) -> None:
    world.records.teams = dict.fromkeys(f"t{number:02}" for number in range(23))

    with pytest.raises(NotFound, match=r"there are: t00, t01, .*, t19 and 3 more$"):
        await admin.stops.stop(TEAM)
    world.records.teams = {}
    with pytest.raises(NotFound, match="there are: none"):
        await admin.stops.stop(TEAM)


@pytest.mark.parametrize("why", ["two\nlines", "\x1b[2J", "x" * 201])
async def test_a_reason_is_one_short_line(why: str, admin: AdminService, world: Any) -> None:
    with pytest.raises(Invalid, match="why: one line"):
        await admin.stops.stop(TEAM, why)
    assert world.stops.kept == {}


async def test_what_is_not_stopped_is_not_resumed_and_what_is_stopped_is_named(
    admin: AdminService,
) -> None:
    with pytest.raises(NotFound, match="team:web is not stopped; nothing is"):
        await admin.stops.resume(TEAM)
    await admin.stops.stop(ORGANISATION)
    with pytest.raises(NotFound, match="team:web is not stopped; stopped are: organisation:main"):
        await admin.stops.resume(TEAM)


async def test_a_stop_outlives_its_team_and_its_app_until_it_is_resumed(
    admin: AdminService,
) -> None:
    for subject in (TEAM, APP):
        await admin.stops.stop(subject)
    await admin.apps.remove("web/shop")
    await admin.teams.remove("web")

    # Otherwise an app that is removed and made again would buy again without anybody's word.
    assert [each.subject for each in await admin.stops.all()] == [TEAM, APP]
    for subject in (TEAM, APP):
        await admin.stops.resume(subject)
    assert await admin.stops.all() == []
