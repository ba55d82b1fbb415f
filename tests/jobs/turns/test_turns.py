"""Turns at a busy upstream: by weight between teams, in order inside one, low after normal."""

from collections import Counter
from typing import Any

import pytest

from falgate.accounts.limits import PurchaseLimits
from falgate.redis import keyspace

TURNS = keyspace.turns("https://queue.example")


@pytest.mark.usefixtures("busy")
async def test_turns_are_shared_by_weight(line: Any) -> None:
    await line.crowd("light", 20, terms=PurchaseLimits(weight=1))
    await line.crowd("heavy", 40, terms=PurchaseLimits(weight=3))

    began = line.teams(await line.serve(40))

    assert Counter(began) == {"heavy": 30, "light": 10}
    for served in range(4, 41, 4):
        assert abs(Counter(began[:served])["light"] - served // 4) <= 1


async def test_five_hundred_of_one_team_delay_anothers_single_one_by_one_service(
    line: Any,
) -> None:
    await line.crowd("crowded", 500)
    await line.serve(3)
    (in_service,) = await line.in_service()

    alone = await line.ask("single")

    assert await line.in_service() == [in_service]
    assert await line.serve(1) == [alone]


async def test_a_team_is_served_in_its_order(line: Any) -> None:
    asked = await line.crowd("web", 12)

    assert await line.in_service() + await line.serve(11) == asked


@pytest.mark.usefixtures("busy")
async def test_low_priority_is_served_after_all_that_is_normal(line: Any) -> None:
    low = await line.crowd("web", 3, priority="low")
    normal = await line.crowd("web", 3) + await line.crowd("print", 3)

    began = await line.serve(9)

    assert set(began[:6]) == set(normal)
    assert began[6:] == low


@pytest.mark.usefixtures("busy")
async def test_who_waits_with_low_priority_goes_by_turns_too(line: Any) -> None:
    await line.crowd("crowded", 6, priority="low")
    await line.serve(2)
    await line.ask("single", priority="low")

    assert line.teams(await line.serve(1)) == ["single"]


@pytest.mark.usefixtures("busy")
async def test_a_team_that_asked_for_nothing_has_no_turns_saved_up(line: Any) -> None:
    await line.crowd("steady", 20)
    await line.serve(10)
    await line.crowd("idle", 5)

    assert Counter(line.teams(await line.serve(6)))["steady"] >= 2


@pytest.mark.usefixtures("busy")
async def test_what_was_given_up_while_it_waited_is_not_counted_as_a_teams_turns(
    line: Any,
) -> None:
    await line.crowd("other", 10)
    for given_up in await line.crowd("hasty", 20):
        await line.release(given_up)
    again = await line.ask("hasty")

    assert again in await line.serve(2)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("priority", ["normal", "low"])
async def test_who_waits_behind_what_was_given_up_moves_up(line: Any, priority: str) -> None:
    await line.crowd("other", 10, priority=priority)
    *given_up, first, second = await line.crowd("hasty", 20, priority=priority)
    for job_id in given_up:
        await line.release(job_id)

    began = await line.serve(4)

    assert [job_id for job_id in began if job_id.startswith("hasty")] == [first, second]


@pytest.mark.usefixtures("busy")
async def test_what_was_given_up_leaves_its_place_to_none_of_another_priority_or_team(
    line: Any,
) -> None:
    (given_up,) = await line.crowd("web", 1)
    low = await line.crowd("web", 1, priority="low")
    normal = await line.crowd("other", 3)
    await line.release(given_up)
    again = await line.crowd("web", 1)

    began = await line.serve(5)

    assert set(began[:2]) == {normal[0], *again}
    assert began[2:] == [*normal[1:], *low]


async def test_virtual_time_begins_anew_when_nobody_waits(line: Any) -> None:
    await line.crowd("old", 30)
    await line.serve(29)

    assert await line.redis.exists(TURNS) == 0
    await line.crowd("old", 3)
    new = await line.ask("new")
    assert new in await line.serve(2)
