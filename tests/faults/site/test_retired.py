"""fal stops serving a model while two instances sell it: hits go on, and nothing is lost."""

import asyncio
import json
from typing import Any

import pytest
from crew import own_connection, scraped

from falgate.accounts.directory import DEFAULT_MODEL, Model, gone_name
from falgate.accounts.store.registry import Registry
from falgate.redis import keyspace

MODEL, SUCCESSOR = "fal-ai/gpt-image-1.5", "openai/gpt-image-2"
NOBODY_DIES = {"lease_s": 60}
TURNS = {
    "404 at the submit": {
        "at": "submit",
        "status": 404,
        "body": json.dumps({"detail": 'Application "gpt-image-1.5" not found'}),
    },
    "410 at the submit": {
        "at": "submit",
        "status": 410,
        "body": json.dumps({"detail": "retired"}),
    },
    "422 at the result": {
        "at": "result",
        "status": 422,
        "body": json.dumps({"detail": [{"type": "model_not_found", "msg": "gone", "loc": []}]}),
    },
}
WISHES = [f"wish {number}" for number in range(6)]


async def asked(site: Any, gateways: list[Any], wishes: list[str]) -> list[Any]:
    """The answers to all of them at once, each asked at every instance."""
    calls = [site.ask(gateway, wish) for wish in wishes for gateway in gateways]
    return await asyncio.gather(*calls)


async def alerts(gateways: list[Any]) -> float:
    """How many alerts all instances have counted."""
    total = 0.0
    for gateway in gateways:
        async with own_connection(gateway, "") as client:
            total += (await scraped(client))["falgate_model_alerts_total", MODEL, "gone"]
    return total


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
async def test_a_model_that_fal_serves_no_more_costs_nothing_and_one_alert(
    site: Any, turn: dict[str, Any]
) -> None:
    gateways = [await site.start(**NOBODY_DIES) for _ in range(2)]
    assert [each.status_code for each in await asked(site, gateways, WISHES[:2])] == [200] * 4
    spent, _ = await site.booked()
    site.sandbox.turn(fault="error", billed_percent=0, units="0", **turn)

    refused = await asked(site, gateways, WISHES[2:4])
    assert {each.status_code for each in refused} <= {410, turn["status"]}
    again = await asked(site, gateways, WISHES[4:])
    assert {each.status_code for each in again} == {410}
    for answer in again:
        assert answer.headers["x-fal-error-type"] == "model_retired"
        assert SUCCESSOR in answer.json()["detail"]
    submits = len(site.sandbox.books()["submits"])
    hits = await asked(site, gateways, WISHES[:2])

    assert [each.headers["x-falgate-cache"] for each in hits] == ["hit"] * 4
    assert len(site.sandbox.books()["submits"]) == submits
    assert await site.booked() == (spent, 0)
    known = await Registry(site.redis).directory()
    assert list(known.gone) == [gone_name(site.upstream, MODEL)]

    async def told() -> bool:
        return await alerts(gateways) >= 1

    await site.until(told)
    await asked(site, gateways, WISHES[4:])
    assert await alerts(gateways) == 1
    assert await site.redis.scard(keyspace.ALERTED) == 1


async def test_a_model_that_fal_serves_again_is_sold_again(site: Any) -> None:
    gateway = await site.start(**NOBODY_DIES)
    site.sandbox.turn(fault="error", **TURNS["410 at the submit"])
    assert (await site.ask(gateway, "a hare")).status_code == 410
    assert (await site.ask(gateway, "a newt")).status_code == 410
    assert len(site.sandbox.books()["submits"]) == 1
    registry, name = Registry(site.redis), gone_name(site.upstream, MODEL)
    was = (await registry.directory()).gone[name]
    site.sandbox.heal()
    an_hour_ago = type(was)(since_s=was.since_s - 3_700, seen_s=was.seen_s - 3_700)
    assert await registry.put_gone(name, was, an_hour_ago)

    assert (await site.ask(gateway, "a newt")).status_code == 200

    async def forgotten() -> bool:
        return (await registry.directory()).gone == {}

    await site.until(forgotten)
    assert (await site.ask(gateway, "a hare")).status_code == 200


async def test_an_app_is_moved_to_the_successor_with_its_money_and_its_pictures(site: Any) -> None:
    gateways = [await site.start(**NOBODY_DIES) for _ in range(2)]
    one, two = gateways
    assert (await site.ask(one, "a fox")).headers["x-falgate-cache"] == "miss"
    moved = Model(retires=DEFAULT_MODEL.retires, afterwards="redirect")
    registry = Registry(site.redis)
    assert await registry.put_model(MODEL, None, moved, "ann")
    site.sandbox.turn(fault="error", times=1, **TURNS["404 at the submit"])
    assert (await site.ask(one, "an owl")).status_code == 410  # this one has found it out
    site.sandbox.heal()

    bought, hit, old = [
        await site.ask(two, "an owl"),
        await site.ask(one, "an owl"),
        await site.ask(two, "a fox"),
    ]
    assert (bought.status_code, bought.headers["x-falgate-cache"]) == (200, "miss")
    assert bought.headers["x-falgate-model"] == SUCCESSOR
    assert hit.headers["x-falgate-cache"] == "hit"
    assert hit.headers["x-falgate-model"] == SUCCESSOR
    assert old.headers["x-falgate-cache"] == "hit"
    assert "x-falgate-model" not in old.headers
    assert bought.json()["images"][0]["width"] == 1024
    submits = [submit for submit in site.sandbox.books()["submits"] if submit["accepted"]]
    assert [submit["model"] for submit in submits] == [MODEL, SUCCESSOR]
