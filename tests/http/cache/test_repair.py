"""Repair over HTTP: what is purged, rejected, bought again or forgotten, as an app sees it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from contents import found
from patience import PATIENCE_S

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]

ONLY_CACHED = {"Cache-Control": "only-if-cached"}


def names(answer: httpx.Response) -> list[str]:
    return [image["file_name"] for image in answer.json()["images"]]


@pytest.fixture
async def key(hire: Hire) -> str:
    """A key of this test's team."""
    made: str = (await hire())["key"]
    return made


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """What `buy` asks for in this test."""
    name: str = request.node.name
    return name


async def test_pools_are_found_by_app_and_prompt(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str, prompt: str
) -> None:
    bought = await buy(key, num_images=2)

    listed = (await admin.get("/cache/pools", params={"app": f"{team}/app"})).json()["items"]
    found = (await admin.post("/cache/pools/find", json={"prompt": prompt})).json()

    assert found == listed
    (pool,) = listed
    assert [each["name"] for each in pool["pictures"]] == names(bought)
    assert (pool["apps"], pool["prompt"], pool["scope"]) == ([f"{team}/app"], None, "organisation")
    assert (await admin.get(f"/cache/pools/{pool['fingerprint']}")).json() == pool
    picture = (await admin.get(f"/cache/pictures/{names(bought)[0]}")).json()
    assert (picture["value_usd"], picture["pools"]) == ("0.009", [pool["fingerprint"]])


async def test_a_picture_is_worth_what_one_of_its_size_costs(
    admin: httpx.AsyncClient, managed: Any, prompt: str
) -> None:
    """Where the model chose the size, more was held: what the largest one would cost."""
    body = {"prompt": prompt, "quality": "low", "image_size": "auto"}
    async with managed.client() as client:
        bought = await client.post("/openai/gpt-image-2", json=body)
        hit = await client.post("/openai/gpt-image-2", json=body)
    picture = (await admin.get(f"/cache/pictures/{names(bought)[0]}")).json()

    assert picture["value_usd"] == hit.headers["x-falgate-saved-usd"] == "0.00402"


async def test_a_prompt_is_shown_only_where_its_app_lets_it_be_kept(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str, managed: Any
) -> None:
    prompt = "a secret meeting of seven owls"

    async def kept() -> list[str]:
        redis = managed.redis()
        keys = await found(redis, prompt)
        await redis.aclose()
        return keys

    await buy(key, prompt=prompt, quality="medium")
    assert await kept() == []
    await admin.patch(f"/teams/{team}/apps/app", json={"cache": {"keep_prompts": True}})
    await buy(key, prompt=prompt)

    pools = (await admin.post("/cache/pools/find", json={"prompt": prompt})).json()
    (shown,) = (pool for pool in pools if pool["prompt"])
    assert (len(pools), shown["prompt"], shown["asked"]["quality"]) == (2, prompt, "low")
    assert await kept() == [f"{{fgp}}:about:{shown['fingerprint']}"]


async def test_what_is_purged_is_bought_again_by_the_next_request(
    admin: httpx.AsyncClient, buy: Buy, key: str, prompt: str
) -> None:
    old = await buy(key)
    purged = await admin.post("/cache/purge", json={"prompt": prompt})

    gone = await buy(key, headers=ONLY_CACHED)

    assert purged.json() == {"pools": 1, "pictures": 1}
    assert gone.status_code == 504
    assert names(await buy(key)) != names(old)


async def test_a_rejected_picture_is_never_handed_out_again(
    admin: httpx.AsyncClient, buy: Buy, key: str
) -> None:
    pair = await buy(key, num_images=2, output_format="png")
    converted = await buy(key, num_images=2, output_format="jpeg")
    bad, good = names(converted)

    rejected = await admin.post(f"/cache/pictures/{bad}/reject")

    assert rejected.json() == {"pools": 2, "pictures": 2}
    left = await buy(key, output_format="png", headers=ONLY_CACHED)
    assert names(left) == names(pair)[1:]
    assert names(await buy(key, headers=ONLY_CACHED)) == [good]
    more = await buy(key, num_images=2)
    assert more.headers["x-fal-billable-units"] == "1"
    assert bad not in names(more)
    assert (await admin.post(f"/cache/pictures/{bad}/reject")).status_code == 409


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "given"])
async def test_a_rerolled_picture_is_bought_again_by_its_app(
    kept: bool, admin: httpx.AsyncClient, team: str, buy: Buy, key: str
) -> None:
    prompt = f"a cat whose prompt is {kept}ly kept"
    await admin.patch(f"/teams/{team}/apps/app", json={"cache": {"keep_prompts": kept}})
    pair = await buy(key, num_images=2, prompt=prompt)
    path = f"/cache/pictures/{names(pair)[0]}/reroll"
    asked = {"prompt": prompt, "quality": "low", "output_format": "jpeg", "num_images": 2}
    if not kept:
        refused = await admin.post(path, json={})
        assert (refused.status_code, "not stored" in refused.text) == (400, True)
        other = await admin.post(path, json={"request": {**asked, "quality": "high"}})
        assert (other.status_code, "not the request" in other.text) == (400, True)

    rerolled = await admin.post(path, json={} if kept else {"request": asked})

    assert rerolled.status_code == 200, rerolled.text
    (new,) = rerolled.json()["pictures"]
    after = await buy(key, num_images=2, headers=ONLY_CACHED, prompt=prompt)
    assert names(after) == [names(pair)[1], new]
    spent = (await admin.get("/ledger", params={"team": team})).json()["items"]
    assert sorted(int(entry["bought"]) for entry in spent) == [1, 2]
    assert rerolled.json()["booked_usd"].startswith("0.01")
    assert (await admin.post(path, json={"request": asked})).status_code == 409


async def test_where_the_money_is_spent_a_reroll_changes_nothing(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str, prompt: str
) -> None:
    bought = await buy(key)
    limited = await admin.put(f"/budgets/team:{team}/day", json={"limit_usd": "0.01"})
    assert limited.status_code == 200, limited.text

    refused = await admin.post(
        f"/cache/pictures/{names(bought)[0]}/reroll",
        json={"request": {"prompt": prompt, "quality": "low", "output_format": "jpeg"}},
    )

    assert (refused.status_code, "cannot pay" in refused.text) == (409, True)
    assert names(await buy(key, headers=ONLY_CACHED)) == names(bought)


async def test_where_purchases_are_stopped_a_reroll_changes_nothing(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str, prompt: str
) -> None:
    bought = await buy(key)
    stopped = await admin.put(f"/stops/team:{team}", json={"why": "a leak"})
    assert stopped.status_code == 200, stopped.text

    refused = await admin.post(
        f"/cache/pictures/{names(bought)[0]}/reroll",
        json={"request": {"prompt": prompt, "quality": "low", "output_format": "jpeg"}},
    )

    assert refused.status_code == 409
    assert "a leak; this picture was kept" in refused.json()["detail"]
    assert names(await buy(key, headers=ONLY_CACHED)) == names(bought)


async def test_a_reroll_that_nobody_may_pay_for_changes_nothing(
    admin: httpx.AsyncClient, buy: Buy, hire: Hire, prompt: str
) -> None:
    made = await hire()
    bought = await buy(made["key"])
    await admin.post(f"/keys/{made['record']['id']}/revoke")

    refused = await admin.post(
        f"/cache/pictures/{names(bought)[0]}/reroll",
        json={"request": {"prompt": prompt, "quality": "low", "output_format": "jpeg"}},
    )

    assert (refused.status_code, "can be used to pay" in refused.text) == (409, True)
    assert names(await buy((await hire())["key"], headers=ONLY_CACHED)) == names(bought)


async def test_a_forgotten_prompt_leaves_nothing_but_amounts(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str, managed: Any
) -> None:
    prompt = "a cat that wants to be forgotten"
    await admin.patch(f"/teams/{team}/apps/app", json={"cache": {"keep_prompts": True}})
    bought = await buy(key, output_format="png", prompt=prompt)
    converted = await buy(key, prompt=prompt)
    queued = (await buy(key, path="/queue/fal-ai/gpt-image-1.5", prompt=prompt)).json()
    before = (await admin.get("/ledger", params={"team": team})).json()["items"]

    receipt = (await admin.post("/cache/forget", json={"prompt": prompt})).json()

    assert (receipt["pools"], receipt["pictures"], receipt["requests"]) == (2, 2, 1)
    async with managed.client() as client:
        for name in (*names(bought), *names(converted)):
            assert (await client.get(f"/pictures/{name}")).status_code == 404
        result = await client.get(queued["response_url"], headers={"Authorization": f"Key {key}"})
    assert result.status_code == 404
    assert (await buy(key, headers=ONLY_CACHED, prompt=prompt)).status_code == 504
    assert (await admin.get("/ledger", params={"team": team})).json()["items"] == before
    (line, *_) = (await admin.get("/audit")).json()["items"]
    assert line["subject"] == f"forget {receipt['prompt_sha256']}"
    assert prompt not in json.dumps(line["after"])
    assert (managed.data / "media" / "pictures" / names(bought)[0]).exists() is False


async def test_nobody_without_the_admin_key_repairs_anything(managed: Any, key: str) -> None:
    async with httpx.AsyncClient(
        base_url=managed.url, trust_env=False, timeout=PATIENCE_S
    ) as client:
        for headers in ({}, {"Authorization": f"Key {key}"}):
            for path in ("purge", "forget", f"pictures/{'0' * 64}.png/reject"):
                refused = await client.post(f"/admin/v1/cache/{path}", json={}, headers=headers)
                assert refused.status_code in {401, 403}
            assert (await client.get("/admin/v1/cache/pools", headers=headers)).status_code in {
                401,
                403,
            }
