"""Isolation: what one scope bought is never another's, by whatever route it asks."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import httpx
import pytest
from patience import PATIENCE_S

from falgate.accounts.cache_settings import Scope

RUN, QUEUE = "/fal-ai/gpt-image-1.5", "/queue/fal-ai/gpt-image-1.5"
QUOTE = "/v1/quote/fal-ai/gpt-image-1.5"
ONLY_CACHED = {"Cache-Control": "only-if-cached"}

Buy = Callable[..., Awaitable[httpx.Response]]


class Rivals(NamedTuple):
    """Two keys: the owner's has bought, the other's wants to know."""

    owner: str
    other: str


@pytest.fixture
def rivals(admin: httpx.AsyncClient, team: str) -> Callable[[Scope], Awaitable[Rivals]]:
    """Makes keys of two that do not share where the owner's scope is such."""

    async def hired(scope: Scope) -> Rivals:
        others = {"org": team, "team": f"{team[-50:]}-two", "app": team}
        other, name = others[scope], "second"
        if other != team:
            assert (await admin.post("/teams", json={"name": other})).status_code == 201
        made = await admin.post(f"/teams/{other}/apps", json={"name": name})
        assert made.status_code == 201
        for path in (f"/teams/{team}/apps/app", f"/teams/{other}/apps/{name}"):
            changed = await admin.patch(path, json={"cache": {"scope": scope}})
            assert changed.status_code == 200
        keys = []
        for who, app in ((team, "app"), (other, name)):
            made = await admin.post("/keys", json={"team": who, "app": app})
            keys.append(made.json()["key"])
        return Rivals(*keys)

    return hired


async def test_an_organisation_shares_by_itself(buy: Buy, rivals: Any) -> None:
    owner, other = await rivals("org")
    bought = await buy(owner)

    assert (await buy(other)).json() == bought.json()


@pytest.mark.parametrize("scope", ["team", "app"])
async def test_nobody_else_gets_it_by_any_route(scope: Scope, buy: Buy, rivals: Any) -> None:
    owner, other = await rivals(scope)
    bought = await buy(owner, output_format="png")
    names = {image["file_name"] for image in bought.json()["images"]}

    assert (await buy(other, output_format="png", headers=ONLY_CACHED)).status_code == 504
    assert (await buy(other, output_format="jpeg", headers=ONLY_CACHED)).status_code == 504
    queued = await buy(other, path=QUEUE, output_format="png", headers=ONLY_CACHED)
    assert queued.status_code == 504
    quoted = await buy(other, path=QUOTE, output_format="png")
    assert (quoted.json()["cache"], quoted.json()["cached"]) == ("miss", 0)
    derived = await buy(other, path=QUOTE, output_format="webp")
    assert derived.json()["cache"] == "miss"
    own = await buy(other, output_format="png")
    assert own.headers["x-falgate-cache"] == "miss"
    assert names.isdisjoint(image["file_name"] for image in own.json()["images"])
    assert (await buy(owner, output_format="png")).json() == bought.json()


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("scope", ["team", "app"])
async def test_nobody_else_joins_a_purchase(scope: Scope, buy: Buy, rivals: Any) -> None:
    owner, other = await rivals(scope)

    answers = await asyncio.gather(buy(owner), buy(other), buy(owner))

    assert answers[1].headers["x-falgate-cache"] == "miss"
    assert answers[1].json() != answers[0].json()
    assert answers[2].json() == answers[0].json()


async def test_who_shares_less_for_once_is_apart_from_all_others(buy: Buy, rivals: Any) -> None:
    owner, other = await rivals("org")
    private = {"X-Falgate-Scope": "app"}
    bought = await buy(owner, headers=private)

    assert (await buy(other, headers=ONLY_CACHED)).status_code == 504
    assert (await buy(other, headers={**private, **ONLY_CACHED})).status_code == 504
    assert (await buy(owner, headers=ONLY_CACHED)).status_code == 504
    assert (await buy(owner, headers=private)).json() == bought.json()


async def test_nobody_shares_more_than_their_app_does(buy: Buy, rivals: Any) -> None:
    owner, _ = await rivals("team")

    refused = await buy(owner, headers={"X-Falgate-Scope": "org"})

    assert refused.status_code == 403
    assert (await buy(owner, headers={"X-Falgate-Scope": "app"})).status_code == 200


async def test_an_idempotency_key_of_another_app_finds_nothing(buy: Buy, rivals: Any) -> None:
    owner, other = await rivals("app")
    named = {"Idempotency-Key": "order-7"}
    bought = await buy(owner, headers=named)
    own = await buy(other, headers=named)

    assert own.status_code == 200
    assert own.json() != bought.json()
    assert own.headers["x-fal-request-id"] != bought.headers["x-fal-request-id"]


async def test_a_request_of_another_app_is_not_there(buy: Buy, rivals: Any, managed: Any) -> None:
    owner, other = await rivals("app")
    queued = (await buy(owner, path=QUEUE)).json()
    async with managed.client() as client:
        for url in (queued["status_url"], queued["response_url"]):
            seen = await client.get(url, headers={"Authorization": f"Key {other}"})
            assert seen.status_code == 404


async def test_a_refusal_takes_no_longer_for_what_another_scope_has(buy: Buy, rivals: Any) -> None:
    """The same path is taken for a pool of somebody else's as for none: one look at one pool."""
    owner, other = await rivals("team")
    await buy(owner, num_images=4, output_format="png")
    await buy(other, headers=ONLY_CACHED)

    async def took_s(prompt: dict[str, str]) -> float:
        began_s = time.perf_counter()
        answer = await buy(other, num_images=4, output_format="png", headers=ONLY_CACHED, **prompt)
        assert answer.status_code == 504
        return time.perf_counter() - began_s

    there, nowhere = [], []
    for _ in range(30):
        there.append(await took_s({}))
        nowhere.append(await took_s({"prompt": "nobody has ever asked for this"}))

    # Taken in turn, so that whatever else the machine does befalls both.
    ratio = statistics.median(there) / statistics.median(nowhere)
    assert 0.5 < ratio < 2


async def test_a_picture_cannot_be_found_by_guessing(managed: Any, buy: Buy, rivals: Any) -> None:
    owner, _ = await rivals("app")
    name = (await buy(owner)).json()["images"][0]["file_name"]
    near = ("0" if name[0] != "0" else "1") + name[1:]

    async with httpx.AsyncClient(
        base_url=managed.url, trust_env=False, timeout=PATIENCE_S
    ) as client:
        assert (await client.get(f"/pictures/{name}")).status_code == 200
        for guess in (near, name[:-1], "", "../check", f"{'0' * 64}.png"):
            assert (await client.get(f"/pictures/{guess}")).status_code == 404
