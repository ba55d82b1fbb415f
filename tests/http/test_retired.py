"""A model that has ended: hits go on, the rest is refused or goes to the successor, by app."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

OLD, NEW = "fal-ai/gpt-image-1.5", "openai/gpt-image-2"
NEWER = "openai/gpt-image-2.5/flare/text-to-image"
ONE = f"/models/{OLD.replace('/', ':')}"
ENDED = {"retires": "2026-01-02"}
GONE = {
    "detail": f"{OLD} has ended, and only its cached pictures are still served; "
    f"its successor is {NEW}",
    "error_type": "model_retired",
}

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def retiring(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway whose models end and begin again."""
    with serve(tmp_path_factory.mktemp("retiring")) as served:
        yield served


@pytest.fixture
async def operator(retiring: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Its operator, who takes back in the end what was decided."""
    async with retiring.admin() as client:
        yield client
        undone = {"retires": None, "successor": "", "afterwards": "serve-cached"}
        for endpoint in (OLD, NEW):
            path = f"/models/{endpoint.replace('/', ':')}"
            assert (await client.patch(path, json=undone)).status_code == 200


@pytest.fixture
async def ask(retiring: Any, request: pytest.FixtureRequest) -> AsyncIterator[Ask]:
    """Asks the old model for cheap pictures of this test's own."""
    async with retiring.client() as client:

        async def asked(path: str = f"/{OLD}", **arguments: Any) -> httpx.Response:
            headers = arguments.pop("headers", {})
            body = {"prompt": request.node.name, "quality": "low", **arguments}
            answer: httpx.Response = await client.post(path, json=body, headers=headers)
            return answer

        yield asked


async def end(operator: httpx.AsyncClient, endpoint: str = OLD, **more: Any) -> None:
    path = f"/models/{endpoint.replace('/', ':')}"
    done = await operator.patch(path, json={**ENDED, **more})
    assert done.status_code == 200, done.text


async def test_hits_go_on_and_the_rest_is_refused_on_every_route(
    operator: httpx.AsyncClient, ask: Ask
) -> None:
    assert (await ask()).headers["x-falgate-cache"] == "miss"
    await end(operator)

    hit = await ask()
    assert (hit.status_code, hit.headers["x-falgate-cache"]) == (200, "hit")
    assert (await ask(output_format="webp")).headers["x-falgate-cache"] == "derived"
    for refused in (
        await ask(num_images=2),
        await ask(f"/queue/{OLD}", num_images=2),
        await ask(headers={"Cache-Control": "no-cache"}),
    ):
        assert (refused.status_code, refused.json()) == (410, GONE)
        assert refused.headers["x-fal-error-type"] == "model_retired"
        assert refused.headers["x-fal-needs-retry"] == "0"
        assert refused.headers["x-fal-billable-units"] == "0"
    only = await ask(num_images=2, headers={"Cache-Control": "only-if-cached"})
    assert only.status_code == 504
    queued = await ask(f"/queue/{OLD}")
    assert queued.status_code == 200


async def test_a_quote_says_that_it_has_ended_and_what_the_successor_costs(
    operator: httpx.AsyncClient, ask: Ask
) -> None:
    before = (await ask(f"/v1/quote/{OLD}")).json()
    await end(operator)
    after = (await ask(f"/v1/quote/{OLD}")).json()

    assert (before["ended"], before["allowed"]) == (False, True)
    assert (after["ended"], after["allowed"]) == (True, False)
    assert before["successor"] == after["successor"]
    assert after["successor"]["model"] == NEW
    assert after["successor"]["problem"] is None


async def test_an_operators_quote_goes_where_the_request_would_go(
    operator: httpx.AsyncClient,
) -> None:
    asked = {"app": "default/app", "model": OLD, "request": {"prompt": "an operator's quote"}}

    async def quoted() -> Any:
        return (await operator.post("/quote", json=asked)).json()

    before = await quoted()
    assert (before["model"], before["ended"], before["successor"]["model"]) == (OLD, False, NEW)
    await end(operator)
    after = await quoted()
    assert (after["model"], after["ended"], after["allowed"]) == (OLD, True, False)
    await end(operator, afterwards="redirect")
    moved = await quoted()
    assert (moved["model"], moved["ended"], moved["allowed"]) == (NEW, False, True)
    assert moved["estimate_usd"] == before["successor"]["estimate_usd"]


async def test_what_the_cache_cannot_answer_goes_to_the_successor(
    operator: httpx.AsyncClient, ask: Ask
) -> None:
    kept = await ask()
    await end(operator, afterwards="redirect")

    assert (await ask()).json() == kept.json()
    bought = await ask(num_images=2, image_size="1536x1024")
    assert (bought.status_code, bought.headers["x-falgate-cache"]) == (200, "miss")
    assert bought.headers["x-falgate-model"] == NEW
    assert [(each["width"], each["height"]) for each in bought.json()["images"]] == [
        (1536, 1024)
    ] * 2
    same = await ask(f"/{NEW}", num_images=2, image_size={"width": 1536, "height": 1024})
    assert same.headers["x-falgate-cache"] == "hit"
    assert same.json() == bought.json()
    quoted = (await ask(f"/v1/quote/{OLD}", num_images=3)).json()
    assert (quoted["model"], quoted["ended"], quoted["allowed"]) == (NEW, False, True)


async def test_the_queue_goes_to_the_successor_under_the_old_path(
    operator: httpx.AsyncClient, ask: Ask, retiring: Any
) -> None:
    await end(operator, afterwards="redirect")
    urls = (await ask(f"/queue/{OLD}")).json()

    assert f"/queue/{OLD}/requests/" in urls["status_url"]
    async with retiring.client() as client:
        while (await client.get(urls["status_url"])).json()["status"] != "COMPLETED":
            pass
        result = await client.get(urls["response_url"])
    assert result.status_code == 200
    assert result.headers["x-falgate-model"] == NEW


async def test_a_successor_that_has_ended_too_leads_on(
    operator: httpx.AsyncClient, ask: Ask
) -> None:
    await end(operator, NEW, successor=NEWER, afterwards="redirect")
    await end(operator, afterwards="redirect")

    assert (await ask()).headers["x-falgate-model"] == NEWER
    await end(operator, NEW, afterwards="serve-cached")
    refused = await ask(num_images=3)
    assert refused.status_code == 410
    assert refused.json()["detail"].startswith(f"{NEW} has ended")


async def test_what_the_successor_cannot_do_is_refused_before_money(
    operator: httpx.AsyncClient, ask: Ask
) -> None:
    await end(operator, NEWER, successor=NEW, afterwards="redirect")
    refused = await ask(f"/{NEWER}", num_images=9)
    kept = await ask(f"/queue/{NEWER}", num_images=9)
    undone = {"retires": None, "successor": "", "afterwards": "serve-cached"}
    await operator.patch(f"/models/{NEWER.replace('/', ':')}", json=undone)

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "num_images"]
    assert kept.status_code == 200  # as fal does, which tells it with the result


async def test_an_app_decides_for_itself(
    operator: httpx.AsyncClient, ask: Ask, retiring: Any
) -> None:
    await end(operator)
    moved = {"afterwards": {OLD: "redirect"}, "aliases": {"acme/image": OLD}}
    app = "/teams/default/apps/app"
    assert (await operator.patch(app, json=moved)).status_code == 200

    first = await ask()
    assert first.headers.get("x-falgate-model") == NEW, first.text
    assert (await ask("/acme/image")).headers["x-falgate-cache"] == "hit"
    assert (await operator.patch(app, json={"afterwards": {}})).status_code == 200
    assert (await ask()).status_code == 410
    assert (await ask("/acme/image")).status_code == 410


async def test_a_key_for_the_old_model_may_go_on_and_no_further(
    operator: httpx.AsyncClient, retiring: Any
) -> None:
    await end(operator, afterwards="redirect")
    key = {"team": "default", "app": "default", "permissions": {"models": [OLD]}}
    made = (await operator.post("/keys", json=key)).json()
    async with retiring.client() as client:
        client.headers["Authorization"] = f"Key {made['key']}"
        body = {"prompt": "a key for the old model", "quality": "low"}
        assert (await client.post(f"/{OLD}", json=body)).status_code == 200
        assert (await client.post(f"/{NEW}", json=body)).status_code == 403


async def test_a_model_that_is_retired_later_is_sold_until_then(
    operator: httpx.AsyncClient, ask: Ask
) -> None:
    await end(operator, retires="2999-01-01")
    assert (await ask()).headers["x-falgate-cache"] == "miss"
