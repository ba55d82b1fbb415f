"""Aliases over HTTP: called as their models, by every route, and moved without the apps' doing."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

TARGET, OTHER = "openai/gpt-image-2", "openai/gpt-image-2.5/flare/text-to-image"
Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]


@pytest.fixture
async def alias(admin: httpx.AsyncClient, team: str) -> str:
    """An alias for a model that only the app of this test has."""
    name = "acme/image"
    done = await admin.patch(f"/teams/{team}/apps/app", json={"aliases": {name: TARGET}})
    assert done.status_code == 200, done.text
    return name


async def test_an_alias_is_called_as_its_model_and_shares_its_pictures(
    alias: str, buy: Buy, hire: Hire
) -> None:
    key = (await hire())["key"]
    bought = await buy(key, f"/{alias}")
    again = await buy(key, f"/{TARGET}")
    under_run = await buy(key, f"/run/{alias}")

    assert [each.status_code for each in (bought, again, under_run)] == [200] * 3
    assert [each.headers["x-falgate-cache"] for each in (bought, again, under_run)] == [
        "miss", "hit", "hit",
    ]  # fmt: skip
    assert bought.headers["x-falgate-model"] == TARGET
    assert "x-falgate-model" not in again.headers
    assert bought.json() == again.json() == under_run.json()


async def test_the_queue_answers_under_the_alias(
    alias: str, buy: Buy, hire: Hire, admin: httpx.AsyncClient, administered: Any
) -> None:
    key = (await hire())["key"]
    submitted = await buy(key, f"/queue/{alias}")
    urls = submitted.json()

    assert submitted.status_code == 200, submitted.text
    assert f"/queue/{alias}/requests/" in urls["status_url"]
    async with administered.client() as client:
        client.headers["Authorization"] = f"Key {key}"
        while (await client.get(urls["status_url"])).json()["status"] != "COMPLETED":
            pass
        result = await client.get(urls["response_url"])
        assert result.status_code == 200
        assert result.headers["x-falgate-model"] == TARGET
        elsewhere = urls["response_url"].replace(alias, TARGET)
        assert (await client.get(elsewhere)).status_code == 404


async def test_a_wrong_input_is_refused_as_its_model_does(alias: str, buy: Buy, hire: Hire) -> None:
    key = (await hire())["key"]
    refused = await buy(key, f"/{alias}", quality="best")
    kept = await buy(key, f"/queue/{alias}", quality="best")

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "quality"]
    assert kept.status_code == 200
    assert f"/{alias}/requests/" in kept.json()["status_url"]


async def test_a_quote_names_the_model_behind_an_alias(alias: str, buy: Buy, hire: Hire) -> None:
    quoted = await buy((await hire())["key"], f"/v1/quote/{alias}")

    assert quoted.status_code == 200
    assert quoted.json()["model"] == TARGET


async def test_an_alias_that_is_moved_is_another_model_at_once(
    alias: str, buy: Buy, hire: Hire, admin: httpx.AsyncClient, team: str
) -> None:
    key = (await hire())["key"]
    await buy(key, f"/{alias}")
    moved = await admin.patch(f"/teams/{team}/apps/app", json={"aliases": {alias: OTHER}})

    assert moved.status_code == 200
    bought = await buy(key, f"/{alias}")
    assert bought.headers["x-falgate-cache"] == "miss"
    assert bought.headers["x-falgate-model"] == OTHER


async def test_nobody_else_has_an_apps_alias(alias: str, ask: Buy) -> None:
    refused = await ask(f"/{alias}")

    assert refused.status_code == 404
    assert refused.json() == {"detail": 'Application "image" not found'}


async def test_a_key_may_be_for_the_model_of_an_alias(alias: str, buy: Buy, hire: Hire) -> None:
    allowed = (await hire(permissions={"models": [TARGET]}))["key"]
    barred = (await hire(permissions={"models": [OTHER]}))["key"]

    assert (await buy(allowed, f"/{alias}")).status_code == 200
    assert (await buy(barred, f"/{alias}")).status_code == 403
