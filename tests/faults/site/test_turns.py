"""Turns at a busy upstream: a limit over all instances, and no team waits for another's crowd."""

import asyncio
from typing import Any

from crowds import answered

from falgate.accounts.directory import App, Team

CROWD, SLOTS, WORK_S = 60, 2, 0.2


async def key_of(site: Any, team: str, settings: Team = Team()) -> str:  # noqa: B008 - frozen
    context = site.administration()
    await context.teams.create(team, settings)
    await context.apps.create(f"{team}/app", App())
    return str((await context.keys.create(f"{team}/app")).key)


def options(site: Any) -> list[str]:
    """What was submitted, in its order, without the canary."""
    submits = site.sandbox.books()["submits"]
    return [submit["input"]["prompt"].rpartition("wish ")[2] for submit in submits]


async def submitted(site: Any, number: int) -> None:
    async def look() -> bool:
        return len(site.sandbox.books()["submits"]) >= number

    await site.until(look)


async def test_a_crowd_of_one_team_delays_anothers_request_by_one_service_at_most(
    site: Any,
) -> None:
    gateways = [
        await site.start(upstream_concurrency=SLOTS),
        await site.start(upstream_concurrency=SLOTS),
    ]
    crowded, single = await key_of(site, "crowded"), await key_of(site, "single")
    site.sandbox.turn(work_s=WORK_S)
    crowd = asyncio.gather(
        *(site.ask(gateways[n % 2], f"wish c{n}", key=crowded) for n in range(CROWD))
    )
    # All of them hold their money and stand in line before the other one comes.
    await site.in_line(CROWD)

    asking = asyncio.create_task(site.ask(gateways[0], "wish alone", key=single))
    await site.in_line(CROWD + 1)
    before = len(options(site))
    answer = await asking
    place = options(site).index("alone")

    assert answer.status_code == 200
    # At most those were before it that were in service when it came.
    assert before < CROWD / 2
    assert place <= before + SLOTS
    assert {each.status_code for each in await crowd} == {200}
    assert (await site.audit()).submits == CROWD + 1


async def test_no_more_are_under_way_at_fal_than_the_setting_allows(site: Any) -> None:
    gateways = [await site.start(upstream_concurrency=SLOTS) for _ in range(2)]
    key = await key_of(site, "web")
    site.sandbox.turn(work_s=WORK_S)

    answers = asyncio.gather(*(site.ask(gateways[n % 2], f"wish {n}", key=key) for n in range(10)))
    most = 0
    while not answers.done():
        busy = [s for s in site.sandbox.books()["submits"] if s["state"] != "COMPLETED"]
        most = max(most, len(busy))
        await asyncio.sleep(0.01)

    assert {each.status_code for each in await answers} == {200}
    assert most == SLOTS


async def test_who_will_not_wait_that_long_is_told_and_nothing_is_bought_for_them(
    site: Any,
) -> None:
    gateway = await site.start(upstream_concurrency=1)
    key = await key_of(site, "web")
    site.sandbox.hold()
    first = asyncio.create_task(site.ask(gateway, "wish first", key=key))
    await submitted(site, 1)

    late = await site.ask(gateway, "wish late", key=key, headers={"X-Fal-Request-Timeout": "1"})

    assert late.status_code == 504
    assert late.headers["x-fal-request-timeout-type"] == "user"
    site.sandbox.let_go()
    assert (await first).status_code == 200
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (1, {"paid": 1, "released": 1})


async def test_a_team_may_have_only_so_many_waiting(site: Any) -> None:
    gateway = await site.start(upstream_concurrency=1)
    key = await key_of(site, "web", Team(waiting_generations=2))
    site.sandbox.hold()
    first = asyncio.create_task(site.ask(gateway, "wish first", key=key))
    await submitted(site, 1)

    others = [asyncio.create_task(site.ask(gateway, f"wish {n}", key=key)) for n in range(5)]
    await answered(others, 3)
    site.sandbox.let_go()

    assert sorted([(await each).status_code for each in others]) == [200, 200, 429, 429, 429]
    assert (await first).status_code == 200
    assert (await site.audit()).submits == 3


async def test_low_priority_goes_after_all_that_is_normal(site: Any) -> None:
    gateway = await site.start(upstream_concurrency=1)
    key = await key_of(site, "web")
    site.sandbox.hold()
    first = asyncio.create_task(site.ask(gateway, "wish first", key=key))
    await submitted(site, 1)
    low = asyncio.create_task(
        site.ask(gateway, "wish low", key=key, headers={"X-Fal-Queue-Priority": "low"})
    )
    await site.in_line(2)
    normal = asyncio.create_task(site.ask(gateway, "wish normal", key=key))
    await site.in_line(3)

    site.sandbox.let_go()
    await asyncio.gather(first, low, normal)

    assert options(site) == ["first", "normal", "low"]
