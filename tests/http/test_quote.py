"""Quotes over HTTP: what a request would cost, which budget says no, and nothing is spent."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.core.money import usd

MODEL = "/fal-ai/gpt-image-1.5"
QUOTE = f"/v1/quote{MODEL}"
PROMPT = "a lone lighthouse"
FORGOTTEN = {"flight", "markers"}
ABOUT_MONEY = {
    "account", "accounts", "overage", "ledger", "pace", "slots", "waiting", "turns", "job", "open",
    "ended", "submits", "flight", "posted", "audit",
}  # fmt: skip

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]


async def limit(admin: httpx.AsyncClient, account: str, limit_usd: str, **fields: Any) -> None:
    body = {"account": account, "window": "day", "limit_usd": limit_usd, **fields}
    made = await admin.post("/budgets", json=body)
    assert made.status_code == 201, made.text


async def test_what_is_not_there_is_quoted_at_its_price_and_its_hold(buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    answer = await buy(key, QUOTE, prompt=PROMPT, num_images=2)

    assert answer.status_code == 200
    assert answer.json() == {
        "model": "fal-ai/gpt-image-1.5",
        "cache": "miss",
        "asked": 2,
        "cached": 0,
        "list_usd": "0.018",
        "estimate_usd": "0.02209",  # with 9 tokens of text and 200 of thought for each picture
        "hold_usd": "0.03817",  # with 17 and 1000
        "price_version": "2026-08",
        "allowed": True,
        "refused_by": [],
        "stopped": None,
        "overdrawn": [],
        "ended": False,
        "successor": {
            "model": "openai/gpt-image-2",
            "estimate_usd": "0.0125",
            "difference_usd": "-0.00959",
            "problem": None,
        },
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-store"
    assert re.fullmatch(r"\d+\.\d{2,6}", answer.headers["x-falgate-budget-remaining-usd"])
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-fal-request-id"])
    assert "x-falgate-cost-usd" not in answer.headers


async def test_what_was_bought_is_quoted_free_and_the_rest_at_its_price(
    buy: Buy, hire: Hire
) -> None:
    key = (await hire())["key"]
    assert (await buy(key)).status_code == 200
    hit, partial = [(await buy(key, QUOTE, num_images=number)).json() for number in (1, 3)]

    assert (hit["cache"], hit["asked"], hit["cached"]) == ("hit", 1, 1)
    assert {hit[name] for name in ("list_usd", "estimate_usd", "hold_usd")} == {"0.00"}
    assert (partial["cache"], partial["asked"], partial["cached"]) == ("partial", 3, 1)
    assert partial["list_usd"] == "0.018"


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize(("quality", "size"), [("low", "1024x1024"), ("medium", "1536x1024")])
async def test_what_is_quoted_is_what_is_booked_afterwards(
    buy: Buy, hire: Hire, quality: str, size: str, number: int
) -> None:
    key = (await hire())["key"]
    asked: dict[str, Any] = {"quality": quality, "image_size": size, "num_images": number}
    quoted = (await buy(key, QUOTE, **asked)).json()
    bought = await buy(key, **asked)

    assert quoted["estimate_usd"] == bought.headers["x-falgate-cost-usd"]
    assert usd(quoted["list_usd"]) < usd(quoted["estimate_usd"]) <= usd(quoted["hold_usd"])


async def test_a_quote_writes_nothing(buy: Buy, hire: Hire, managed: Any) -> None:
    key = (await hire())["key"]
    redis = managed.redis()

    # Not by DUMP: the order of what is in a hash table may change while nothing does.
    reads: dict[Any, Callable[[str], Awaitable[Any]]] = {
        "hash": redis.hgetall,
        "zset": lambda name: redis.zrange(name, 0, -1, withscores=True),
        "string": redis.get,
        "set": redis.smembers,
        "stream": redis.xrange,
    }

    async def written() -> dict[str, Any]:
        """Everything about money and purchases, once those of the past are over."""
        async with asyncio.timeout(PATIENCE_S):
            while await redis.zcard("{fg}:open:sandbox"):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
        names = [name async for name in redis.scan_iter("{fg}:*")]
        kept = [(n, await redis.type(n)) for n in names if n.split(":")[1] in ABOUT_MONEY]
        # What has gone since is of a type that nothing reads.
        return {name: await reads[kind](name) for name, kind in kept if kind in reads}

    try:
        assert (await buy(key, prompt="bought, so that there is something")).status_code == 200
        unchanged = False
        # What this gateway writes by itself, now and then, may fall between two looks: not always.
        for _ in range(5):
            before = await written()
            for number in (1, 4):
                assert (await buy(key, QUOTE, num_images=number)).status_code == 200
            after = await written()
            # Markers of flights of two minutes ago may be forgotten at any time.
            lasting = {n: held for n, held in before.items() if n.split(":")[1] not in FORGOTTEN}
            unchanged |= lasting.items() <= after.items() and after.keys() <= before.keys()
    finally:
        await redis.aclose()

    assert {name.split(":")[1] for name in before} >= {"account", "ledger", "flight"}
    assert unchanged


async def test_the_budget_of_a_model_refuses_whoever_asks_and_is_seen_by_all_who_may_use_it(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, managed: Any
) -> None:
    model = "openai/gpt-image-2"
    key = (await hire())["key"]
    other = (await hire(permissions={"models": ["fal-ai/*"]}))["key"]
    asked = {"image_size": "square_hd", "quality": "low", "prompt": "a heron"}
    path = f"/budgets/model:{model.replace('/', ':')}/hour"
    try:
        assert (await admin.put(path, json={"limit_usd": "0.01"})).status_code == 200
        quoted = (await buy(key, f"/v1/quote/{model}", **asked)).json()
        refused = await buy(key, f"/{model}", **asked)
        elsewhere = await buy(key, prompt="a heron")
        async with managed.client() as client:
            mine, theirs = [
                (await client.get("/v1/budgets", headers={"Authorization": f"Key {each}"})).json()
                for each in (key, other)
            ]
    finally:
        await admin.delete(path)

    assert quoted["allowed"] is False
    assert [each["account"] for each in quoted["refused_by"]] == [f"model:{model}"]
    assert refused.status_code == 402
    said = refused.json()
    assert said["error_type"] == "budget_exceeded"
    assert said["detail"].startswith(f"The hour budget of model:{model} cannot pay for this")
    # Other tests may have bought of it within the hour.
    assert usd(refused.headers["x-falgate-budget-remaining-usd"]) <= usd("0.01")
    assert elsewhere.status_code == 200
    (seen,) = [each for each in mine["budgets"] if each["level"] == "model"]
    assert (seen["account"], seen["window"], seen["limit_usd"]) == (
        f"model:{model}",
        "hour",
        "0.01",
    )
    assert "model" not in [each["level"] for each in theirs["budgets"]]


async def test_a_budget_that_would_refuse_is_named_and_no_error(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str
) -> None:
    key = (await hire())["key"]
    await limit(admin, f"team:{team}", "0.03")
    await limit(admin, f"app:{team}/app", "0.02")
    one, two, four = [
        (await buy(key, QUOTE, prompt=PROMPT, num_images=number)).json() for number in (1, 2, 4)
    ]
    refused = await buy(key, prompt=PROMPT, num_images=2)

    assert (one["allowed"], one["refused_by"]) == (True, [])
    assert [each["account"] for each in two["refused_by"]] == [f"team:{team}", f"app:{team}/app"]
    assert four["refused_by"][1] == {
        "account": f"app:{team}/app",
        "window": "day",
        "limit_usd": "0.02",
        "spent_usd": "0.00",
        "held_usd": "0.00",
        "remaining_usd": "0.02",
        "resets_at": four["refused_by"][0]["resets_at"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00\+00:00", two["refused_by"][0]["resets_at"])
    assert not two["allowed"]
    assert refused.status_code == 402
    # Of two that have no room, the one that has less.
    assert f"The day budget of app:{team}/app cannot pay for this" in refused.json()["detail"]


async def test_the_least_that_is_left_is_a_header(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient
) -> None:
    hired = await hire()
    await limit(admin, f"key:{hired['record']['id']}", "0.05")
    answer = await buy(hired["key"], QUOTE)

    assert answer.headers["x-falgate-budget-remaining-usd"] == "0.05"


async def test_a_shadow_budget_is_named_apart_and_lets_pass(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str
) -> None:
    key = (await hire())["key"]
    await limit(admin, f"team:{team}", "0.001", shadow=True)
    quoted = (await buy(key, QUOTE)).json()
    bought = await buy(key)

    assert quoted["allowed"]
    assert quoted["refused_by"] == []
    assert [each["account"] for each in quoted["overdrawn"]] == [f"team:{team}"]
    assert bought.status_code == 200


async def test_a_free_picture_is_allowed_by_an_empty_budget(
    buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str
) -> None:
    key = (await hire())["key"]
    assert (await buy(key)).status_code == 200
    await limit(admin, f"team:{team}", "0")
    hit, miss = [(await buy(key, QUOTE, num_images=number)).json() for number in (1, 2)]

    assert hit["allowed"]
    assert not miss["allowed"]
    assert (await buy(key)).headers["x-falgate-cache"] == "hit"


async def test_a_test_key_is_quoted_for_its_own_pools(buy: Buy, hire: Hire) -> None:
    live, test = (await hire())["key"], (await hire(kind="test"))["key"]
    assert (await buy(live)).status_code == 200

    assert (await buy(live, QUOTE)).json()["cache"] == "hit"
    assert (await buy(test, QUOTE)).json()["cache"] == "miss"


async def test_who_has_no_key_gets_no_quote(buy: Buy, managed: Any) -> None:
    answer = await buy("rubbish", QUOTE)
    admins = await buy(managed.admin_key, QUOTE)

    assert answer.status_code == admins.status_code == 401
    assert answer.json() == {"detail": "No user found for Key ID and Secret"}


async def test_what_a_key_may_not_ask_for_is_not_quoted_either(buy: Buy, hire: Hire) -> None:
    key = (await hire(permissions={"pictures_max": 1}))["key"]

    assert (await buy(key, QUOTE)).status_code == 200
    assert (await buy(key, QUOTE, num_images=2)).status_code == 403


async def test_bad_input_is_named_as_the_model_would(buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    quoted, run = [await buy(key, path, num_images=5, quality="hd") for path in (QUOTE, MODEL)]

    assert quoted.status_code == run.status_code == 422
    assert quoted.json() == run.json()


async def test_a_model_that_is_not_served_has_no_quote(buy: Buy, hire: Hire) -> None:
    answer = await buy((await hire())["key"], "/v1/quote/fal-ai/flux")

    assert answer.status_code == 404
    assert "flux" in answer.json()["detail"]
