"""Budgets and limits of teams, over two instances that share a Redis, under a rush."""

import asyncio
from collections import Counter
from typing import Any

from crowds import answered
from msgspec.structs import replace

from falgate.accounts.directory import App, Team
from falgate.accounts.limits import Limits, PurchaseRates
from falgate.core.account import Account
from falgate.models import price
from falgate.models.endpoints import MODELS
from falgate.money.budget import Budget

CALLERS, ROOM = 150, 37
WISH = "wish {:03}"
NOBODY_DIES = {"lease_s": 60}
"""Else an instance that is slow would have its holds given back by the other one."""


async def made(site: Any, name: str, team: Team = Team()) -> str:  # noqa: B008 - frozen
    """A team with an app of its own; the app's key."""
    context = site.administration()
    await context.teams.create(name, team)
    await context.apps.create(f"{name}/app", App())
    return str((await context.keys.create(f"{name}/app")).key)


async def rush(site: Any, gateways: list[Any], key: str, number: int, room: int) -> list[Any]:
    """So many different wishes at once, in turn to each of the gateways; what each is answered.

    Nothing is settled, and no room comes back, before the last was told that there is none.
    """
    site.sandbox.hold()
    calls = [
        asyncio.create_task(site.ask(gateways[n % len(gateways)], WISH.format(n), key=key))
        for n in range(number)
    ]
    await answered(calls, number - room)
    site.sandbox.let_go()
    return [await call for call in calls]


async def test_150_callers_of_a_team_that_has_room_for_37_pictures_buy_37(site: Any) -> None:
    gateways = [await site.start(**NOBODY_DIES) for _ in range(2)]
    spec = MODELS["fal-ai/gpt-image-1.5"]
    example = spec.input(prompt=f"canary-wish {WISH.format(0)}", quality="low")
    limit = ROOM * price.ceiling(spec, example, 1)
    key = await made(site, "web")
    await site.administration().budgets.set(
        Account("team", "web"), "day", lambda _: Budget(limit=limit)
    )

    answers = await rush(site, gateways, key, CALLERS, ROOM)

    assert Counter(a.status_code for a in answers) == {200: ROOM, 402: CALLERS - ROOM}
    refused = next(answer for answer in answers if answer.status_code == 402)
    assert "team:web" in refused.json()["detail"]
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (ROOM, {"paid": ROOM})


async def test_two_teams_that_share_a_model_with_room_for_21_pictures_buy_21(site: Any) -> None:
    gateways = [await site.start(**NOBODY_DIES) for _ in range(2)]
    spec = MODELS["fal-ai/gpt-image-1.5"]
    example = spec.input(prompt=f"canary-wish {WISH.format(0)}", quality="low")
    model, room = Account("model", spec.endpoint), 21
    keys = [await made(site, name) for name in ("web", "ads")]
    budgets = site.administration().budgets
    limit = room * price.ceiling(spec, example, 1)
    await budgets.set(model, "day", lambda _: Budget(limit=limit))

    site.sandbox.hold()
    # Each team asks each of the gateways.
    calls = [
        asyncio.create_task(site.ask(gateways[n % 2], WISH.format(n), key=keys[n // 2 % 2]))
        for n in range(80)
    ]
    await answered(calls, 80 - room)
    held = (await budgets.show(model, "day")).held
    site.sandbox.let_go()
    answers = [await call for call in calls]

    assert held == limit
    assert Counter(a.status_code for a in answers) == {200: room, 402: 80 - room}
    refused = next(answer for answer in answers if answer.status_code == 402)
    assert f"The day budget of {model.name} cannot pay" in refused.json()["detail"]
    audit = await site.audit()
    assert (audit.submits, audit.outcomes) == (room, {"paid": room})
    await site.administration().stops.stop(model, "a price rose")
    stopped = await site.ask(gateways[0], "another wish", key=keys[0])
    assert stopped.json()["error_type"] == "buying_stopped"


async def test_purchases_of_a_model_at_once_are_limited_over_all_instances(site: Any) -> None:
    gateways = [await site.start(**NOBODY_DIES) for _ in range(2)]
    key = await made(site, "web")
    limits = PurchaseRates(generations_at_once=3)
    await site.administration().served.change(
        "fal-ai/gpt-image-1.5", lambda was: replace(was, limits=limits)
    )

    answers = await rush(site, gateways, key, 12, 3)

    assert Counter(a.status_code for a in answers) == {200: 3, 429: 9}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["detail"].startswith("model:fal-ai/gpt-image-1.5 is limited to 3")
    assert (await site.audit()).submits == 3


async def test_purchases_at_once_are_limited_over_all_instances(site: Any) -> None:
    gateways = [await site.start(**NOBODY_DIES) for _ in range(2)]
    key = await made(site, "web", Team(limits=Limits(generations_at_once=3)))

    answers = await rush(site, gateways, key, 12, 3)

    assert Counter(a.status_code for a in answers) == {200: 3, 429: 9}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert (await site.audit()).submits == 3
    assert (await site.ask(gateways[0], "another wish", key=key)).status_code == 200


async def test_requests_in_a_second_are_limited_over_all_instances(site: Any) -> None:
    gateways = [await site.start(), await site.start()]
    key = await made(site, "web", Team(limits=Limits(requests_per_second=1)))
    await site.ask(gateways[0], key=key)

    answers = await asyncio.gather(*(site.ask(gateways[n % 2], key=key) for n in range(20)))

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() <= {200, 429}
    assert statuses[429] >= 15


async def test_a_key_that_is_disabled_or_revoked_is_refused_by_every_instance(site: Any) -> None:
    gateways = [await site.start(), await site.start()]
    key = await made(site, "web")
    for gateway in gateways:
        assert (await site.ask(gateway, key=key)).status_code == 200
    context = site.administration()
    (record,) = await context.keys.all("web/app")

    await context.keys.change(record.id, lambda kept: replace(kept, disabled=True))
    assert [(await site.ask(g, key=key)).status_code for g in gateways] == [403, 403]
    await context.keys.change(record.id, lambda kept: replace(kept, disabled=False))
    assert [(await site.ask(g, key=key)).status_code for g in gateways] == [200, 200]
    made_anew = await context.keys.rotate(record.id, overlap_s=3600)
    for either in (key, made_anew.key):
        assert [(await site.ask(g, key=either)).status_code for g in gateways] == [200, 200]
    await context.keys.revoke(record.id)
    for either in (key, made_anew.key):
        assert [(await site.ask(g, key=either)).status_code for g in gateways] == [403, 403]
