"""Wrong keys from one address to a real gateway: soon without Redis, and good keys go on."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.cli.keys import mint

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "wrong keys", "quality": "low", "output_format": "jpeg"}
WRONG = 400


@pytest.fixture(scope="module")
def attacked(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway of their own: what an address gets wrong counts for all of its tests."""
    with serve(tmp_path_factory.mktemp("attacked")) as served:
        yield served


async def commands(gateway: Any) -> int:
    """How often keys were looked up in Redis until now."""
    redis = gateway.redis()
    try:
        found = await redis.info("commandstats")
        return int(found.get("cmdstat_hget", {"calls": 0})["calls"])
    finally:
        await redis.aclose()


async def test_wrong_keys_cost_no_look_at_redis_and_a_good_one_still_opens(attacked: Any) -> None:
    async with attacked.client() as client:
        before = await commands(attacked)
        answers = []
        for _ in range(WRONG):
            headers = {"Authorization": f"Key {mint('live')}"}
            answers.append(await client.post(MODEL, json=BODY, headers=headers))
        looked_up = await commands(attacked) - before
        good = await client.post(MODEL, json=BODY)
        unseen = {"Authorization": f"Key {await attacked.issue(team='late')}"}
        async with asyncio.timeout(10):
            while (late := await client.post(MODEL, json=BODY, headers=unseen)).status_code == 429:
                pass  # for as long as this gateway has not read of the new key

    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 429}
    # Ten in a second are looked up again, at a time of which nobody knows.
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error_type"] == "rate_limit_exceeded"
    assert looked_up < 3 * statuses.count(401) + 50
    assert (good.status_code, late.status_code) == (200, 200)


async def test_wrong_admin_keys_are_refused_and_the_right_one_opens(attacked: Any) -> None:
    async with (
        attacked.admin() as admin,
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as stranger,
    ):
        answers = []
        for _ in range(WRONG):
            headers = {"Authorization": f"Key {mint('admin')}"}
            answers.append(await stranger.get(f"{admin.base_url}teams", headers=headers))
        right = await admin.get("/teams")

    assert {answer.status_code for answer in answers} == {401, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"
    assert right.status_code == 200
