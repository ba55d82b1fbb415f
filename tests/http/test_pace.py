"""Limits on pace over HTTP: 429 in fal's form, when to come again, and nothing held."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

QUOTE = "/v1/quote/fal-ai/gpt-image-1.5"

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]


def is_too_many(answer: httpx.Response, who: str, what: str) -> bool:
    """Whether it says so, as fal says it and its clients understand it."""
    assert answer.status_code == 429
    assert answer.json() == {
        "detail": f"{who} is limited to {what}",
        "error_type": "rate_limit_exceeded",
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-fal-error-type"] == "rate_limit_exceeded"
    assert answer.headers["x-fal-request-id"]
    assert answer.headers["retry-after"].isdigit()
    return 1 <= int(answer.headers["retry-after"]) <= 60


async def standing(admin: httpx.AsyncClient, team: str) -> tuple[str, str]:
    """What a team's budget has spent and held."""
    shown = (await admin.get(f"/budgets/team:{team}/total")).json()
    return shown["spent_usd"], shown["held_usd"]


async def test_requests_beyond_a_keys_rate_are_told_when_to_come_again(
    buy: Buy, hire: Hire
) -> None:
    free = (await hire())["key"]
    assert (await buy(free)).status_code == 200
    hired = await hire(limits={"requests_per_second": 2})
    answers = await asyncio.gather(*(buy(hired["key"]) for _ in range(12)))

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() == {200, 429}, "hits count as well"
    assert statuses[200] >= 2
    for answer in answers:
        if answer.is_error:
            who = f"key:{hired['record']['id']}"
            assert is_too_many(answer, who, "2 requests per second")
            assert answer.headers["retry-after"] == "1"
    assert (await buy(free)).status_code == 200


async def test_a_teams_rate_is_shared_by_its_keys_and_by_quotes(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str
) -> None:
    keys = [(await hire())["key"] for _ in range(2)]
    assert (await buy(keys[0])).status_code == 200
    limited = {"limits": {"requests_per_second": 1}}
    assert (await admin.patch(f"/teams/{team}", json=limited)).status_code == 200
    answers = await asyncio.gather(*(buy(key, QUOTE) for key in keys * 4))

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() == {200, 429}
    for answer in answers:
        assert not answer.is_error or is_too_many(answer, f"team:{team}", "1 requests per second")


@pytest.mark.parametrize("level", ["key", "app", "team"])
async def test_purchases_beyond_a_minutes_are_refused_and_nothing_is_held(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str, level: str
) -> None:
    budget = {"account": f"team:{team}", "window": "total", "limit_usd": "1"}
    assert (await admin.post("/budgets", json=budget)).status_code == 201
    hired = await hire()
    path, who = {
        "key": (f"/keys/{hired['record']['id']}", f"key:{hired['record']['id']}"),
        "app": (f"/teams/{team}/apps/app", f"app:{team}/app"),
        "team": (f"/teams/{team}", f"team:{team}"),
    }[level]
    limited = {"limits": {"generations_per_minute": 1}}
    assert (await admin.patch(path, json=limited)).status_code == 200

    bought = await buy(hired["key"])
    refused = await buy(hired["key"], num_images=2)
    again = await buy(hired["key"])

    assert bought.status_code == 200
    assert is_too_many(refused, who, "1 purchases per minute")
    assert again.headers["x-falgate-cache"] == "hit", "what is there is no purchase"
    assert await standing(admin, team) == (bought.headers["x-falgate-cost-usd"], "0.00")


async def test_a_models_purchases_in_a_minute_are_shared_by_all_who_ask_for_it(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient
) -> None:
    one, two = [(await hire())["key"] for _ in range(2)]
    path = "/limits/model:openai:gpt-image-2"
    asked = {"image_size": "square_hd", "quality": "low"}
    try:
        limited = await admin.patch(path, json={"generations_per_minute": 1})
        assert limited.status_code == 200
        bought = await buy(one, "/openai/gpt-image-2", prompt="an ibis", **asked)
        refused = await buy(two, "/openai/gpt-image-2", prompt="an emu", **asked)
        hit = await buy(two, "/openai/gpt-image-2", prompt="an ibis", **asked)
        other = await buy(two, prompt="an emu")
    finally:
        await admin.patch(path, json={"generations_per_minute": 0})

    assert bought.status_code == 200
    assert is_too_many(refused, "model:openai/gpt-image-2", "1 purchases per minute")
    assert hit.headers["x-falgate-cache"] == "hit"
    assert other.status_code == 200


@pytest.mark.usefixtures("working")
async def test_purchases_beyond_those_at_once_are_refused_until_one_ends(
    buy: Buy, hire: Hire, team: str, admin: httpx.AsyncClient
) -> None:
    hired = await hire(limits={"generations_at_once": 1})
    budget = {"account": f"team:{team}", "window": "total", "limit_usd": "1"}
    assert (await admin.post("/budgets", json=budget)).status_code == 201
    answers = await asyncio.gather(*(buy(hired["key"], prompt=f"fox {n}") for n in range(5)))

    bought = [answer for answer in answers if answer.is_success]
    refused = [answer for answer in answers if answer.is_error]
    assert refused
    assert len(bought) + len(refused) == 5
    who = f"key:{hired['record']['id']}"
    assert all(is_too_many(each, who, "1 concurrent purchases") for each in refused)
    assert (await standing(admin, team))[1] == "0.00"
    assert (await buy(hired["key"], prompt="later")).status_code == 200


async def test_a_limit_that_is_lifted_holds_nobody_back(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient
) -> None:
    hired = await hire(limits={"generations_per_minute": 1})
    assert (await buy(hired["key"], prompt="one")).status_code == 200
    assert (await buy(hired["key"], prompt="two")).status_code == 429
    path = f"/keys/{hired['record']['id']}"
    lifted = {"limits": {"generations_per_minute": 0}}
    assert (await admin.patch(path, json=lifted)).status_code == 200

    assert (await buy(hired["key"], prompt="two")).status_code == 200


async def test_looks_at_a_queued_request_its_result_and_its_picture_are_not_counted(
    buy: Buy, hire: Hire, managed: Any
) -> None:
    key = (await hire(limits={"requests_per_second": 1}))["key"]
    submitted = (await buy(key, "/queue/fal-ai/gpt-image-1.5")).json()
    headers = {"Authorization": f"Key {key}"}

    async with managed.client() as client:
        looks = [
            await client.get(submitted[what], headers=headers)
            for what in ("status_url", "status_url", "status_url", "response_url")
        ]

    assert not {look.status_code for look in looks} & {429}
