"""Described models over HTTP: bought, shared, topped up, and answered as fal answers."""

import base64
import io
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from easel import ENDPOINT, files, lone, publish_lone
from PIL import Image

from falgate.served_models import SHIPPED as FOLDER

EDIT = "fal-ai/flux-2-pro/edit"
SCHNELL, FLUX, BANANA = "fal-ai/flux/schnell", "fal-ai/flux-2-pro", "fal-ai/nano-banana-2"
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def described(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway that serves the shipped models too, and one whose result has a single picture."""
    folder = tmp_path_factory.mktemp("described")
    shutil.copytree(FOLDER, folder / "models")
    text, data = files(lone, publish_lone)
    (folder / "models" / "easel.toml").write_text(text)
    (folder / "models" / "easel.json").write_bytes(data)
    with serve(folder, models_dir=str(folder / "models")) as served:
        yield served


@pytest.fixture
async def ask(described: Any, request: pytest.FixtureRequest) -> AsyncIterator[Ask]:
    """A function that asks for pictures of this test's own."""
    async with described.client() as client:

        async def asked(path: str, **fields: Any) -> httpx.Response:
            body = {"prompt": request.node.name, **fields}
            answer: httpx.Response = await client.post(f"/{path}", json=body)
            return answer

        yield asked


def sources(*answers: httpx.Response) -> list[str]:
    assert {answer.status_code for answer in answers} == {200}, [each.text for each in answers]
    return [answer.headers["x-falgate-cache"] for answer in answers]


def costs(*answers: httpx.Response) -> list[str]:
    return [answer.headers["x-falgate-cost-usd"] for answer in answers]


def names(answer: httpx.Response) -> list[str]:
    return [image["file_name"] for image in answer.json()["images"]]


async def test_what_is_bought_once_is_served_again(ask: Ask) -> None:
    size = {"width": 1024, "height": 1024}
    first = await ask(FLUX, image_size=size, output_format="png")
    again = await ask(FLUX, image_size=size, output_format="png", seed=None)
    derived = await ask(FLUX, image_size=size)

    assert sources(first, again, derived) == ["miss", "hit", "derived"]
    assert costs(first, again, derived) == ["0.045", "0.00", "0.00"]
    assert first.json() == again.json()
    assert derived.json()["seed"] == first.json()["seed"]


async def test_a_result_has_what_fal_says_beside_its_files(ask: Ask) -> None:
    first = await ask(SCHNELL, num_images=2)
    both = await ask(SCHNELL, num_images=2)
    more = await ask(SCHNELL, num_images=3)

    assert sources(first, both, more) == ["miss", "hit", "partial"]
    assert costs(first, both, more) == ["0.012", "0.00", "0.006"]
    assert first.json().keys() == {"images", "seed", "timings", "has_nsfw_concepts"}
    assert more.json()["has_nsfw_concepts"] == [False] * 3
    assert more.json()["seed"] == first.json()["seed"]
    assert "x-falgate-fields-of" not in both.headers
    assert more.headers["x-falgate-fields-of"] == "first picture"


async def test_with_a_seed_each_number_is_bought_as_a_whole(ask: Ask) -> None:
    two, three, again = [await ask(SCHNELL, seed=5, num_images=number) for number in (2, 3, 2)]

    assert sources(two, three, again) == ["miss", "miss", "hit"]
    assert [each.json()["seed"] for each in (two, three, again)] == [5, 5, 5]
    assert names(two) == names(again)


async def test_a_picture_with_a_seed_is_not_bought_again_since_it_would_be_the_same(
    ask: Ask, described: Any, request: pytest.FixtureRequest
) -> None:
    (name,) = names(await ask(SCHNELL, seed=5))
    again = {"request": {"prompt": request.node.name, "seed": 5}}
    async with described.admin() as admin:
        refused = await admin.post(f"/cache/pictures/{name}/reroll", json=again)

    assert refused.status_code == 409
    assert "fal would make the same one again" in refused.text
    assert sources(await ask(SCHNELL, seed=5)) == ["hit"]


async def test_the_queue_keeps_nothing_that_depends_on_the_day(ask: Ask, described: Any) -> None:
    submitted = await ask(f"queue/{BANANA}", enable_web_search=True)
    async with described.client() as client:
        result = await client.get(submitted.json()["response_url"])
        while result.status_code != 200:  # it is under way
            result = await client.get(submitted.json()["response_url"])

    assert result.headers["x-falgate-cache"] == "bypass"
    assert sources(await ask(BANANA)) == ["miss"]


async def test_what_depends_on_the_day_is_not_kept(ask: Ask, described: Any) -> None:
    first = await ask(BANANA, enable_web_search=True)
    plain = await ask(BANANA)

    assert sources(first, plain) == ["bypass", "miss"]
    assert first.headers["cache-status"] == "falgate; fwd=request"
    assert costs(first, plain) == ["0.095", "0.08"]
    assert plain.json()["description"] == "A placeholder."
    assert described.log.read_text().count("Traceback") == 0


async def test_what_fal_says_of_a_picture_is_erased_with_its_prompt(
    ask: Ask, described: Any, request: pytest.FixtureRequest
) -> None:
    async def texts() -> list[str]:
        redis = described.redis()
        keys = [key async for key in redis.scan_iter("*", _type="HASH")]
        found = [str(await redis.hgetall(key)) for key in keys]
        await redis.aclose()
        return [text for text in found if request.node.name in text or said in text]

    answer = await ask(SCHNELL)
    await ask(f"queue/{SCHNELL}")
    said = base64.b64encode(b'{"timings":{},"seed":%d}' % answer.json()["seed"]).decode()
    assert await texts()
    async with described.admin() as admin:
        done = await admin.post("/cache/forget", json={"prompt": request.node.name})

    assert done.status_code == 200
    assert await texts() == []


@pytest.mark.parametrize(
    ("path", "fields", "where"),
    [
        (BANANA, {"limit_generations": False}, "limit_generations"),
        (BANANA, {"system_prompt": "https://example.com/x"}, "system_prompt"),
        (FLUX, {"image_size": {"width": 1000, "height": 1000}}, "image_size"),
        (SCHNELL, {"num_inference_steps": 13}, "num_inference_steps"),
        (SCHNELL, {"num_images": 5}, "num_images"),
    ],
)
async def test_what_is_not_sold_is_refused(
    ask: Ask, path: str, fields: dict[str, Any], where: str
) -> None:
    answer = await ask(path, **fields)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", where]
    assert "x-falgate-cost-usd" not in answer.headers


async def test_the_queue_answers_the_same(ask: Ask, described: Any) -> None:
    run = await ask(SCHNELL)
    submitted = await ask(f"queue/{SCHNELL}")
    async with described.client() as client:
        url = submitted.json()["response_url"]
        result = await client.get(url)

    assert "/queue/fal-ai/flux/requests/" in url
    assert result.json() == run.json()


async def test_a_quote_knows_its_price(ask: Ask) -> None:
    quote = (await ask(f"v1/quote/{SCHNELL}", num_images=2)).json()

    assert quote["hold_usd"] == "0.03"
    assert quote["price_version"] == "2026-08"


async def test_a_picture_inside_the_answer_is_a_data_uri(ask: Ask) -> None:
    answer = await ask(SCHNELL, sync_mode=True)

    (image,) = answer.json()["images"]
    assert image["url"].startswith("data:image/jpeg;base64,")
    assert "seed" in answer.json()


def drawn(color: str, side: int = 1024) -> str:
    """A picture of one colour, as a data URI."""
    data = io.BytesIO()
    Image.new("RGB", (side, side), color).save(data, "PNG")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"


async def test_an_input_picture_is_priced_and_keyed_by_what_it_is(ask: Ask) -> None:
    size = {"width": 1024, "height": 1024}
    first = await ask(EDIT, image_size=size, image_urls=[drawn("red")])
    again = await ask(EDIT, image_size=size, image_urls=[drawn("red")])
    other = await ask(EDIT, image_size=size, image_urls=[drawn("blue", side=512)])

    assert sources(first, again, other) == ["miss", "hit", "miss"]
    # Two megapixels of the picture and two of the input; the first one is in the base price.
    assert costs(first, again, other) == ["0.075", "0.00", "0.06"]


@pytest.mark.parametrize("urls", [[], ["data:text/plain;base64,aGk="], [drawn("red", 8)] * 9])
async def test_inputs_that_a_model_does_not_take_are_refused(ask: Ask, urls: list[str]) -> None:
    answer = await ask(EDIT, image_urls=urls)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", "image_urls"]


async def test_a_result_with_a_single_picture_has_no_list(ask: Ask) -> None:
    first = await ask(ENDPOINT)
    again = await ask(ENDPOINT)

    assert sources(first, again) == ["miss", "hit"]
    assert first.json().keys() == {"image", "seed"}
    assert first.json()["image"]["content_type"] == "image/png"
    assert again.json() == first.json()


async def test_its_document_is_fals(ask: Ask, described: Any) -> None:
    async with described.client() as client:
        found = await client.get(f"/api/openapi/queue/openapi.json?endpoint_id={SCHNELL}")
        page = await client.get("/docs/openapi.json")

    pinned = json.loads((FOLDER / "fal-ai.flux.schnell.json").read_bytes())
    served = found.json()["components"]["schemas"]
    for name, schema in pinned["components"]["schemas"]["FluxSchnellInput"]["properties"].items():
        own = served["FluxSchnellInput"]["properties"][name]
        assert own["title"] == schema["title"]
        assert own.get("default") == schema.get("default")
        assert own.get("maximum") == schema.get("maximum")
    assert "prompt" not in served["FluxSchnellOutput"]["properties"]
    assert f"/{SCHNELL}" in page.json()["paths"]


async def test_metrics_and_operators_know_it(described: Any) -> None:
    async with described.client() as client:
        metrics = (await client.get("/metrics")).text
    async with described.admin() as admin:
        models = (await admin.get("/models")).json()

    assert re.search(r'falgate_answers_total\{.*model="fal-ai/flux/schnell".*\} ', metrics)
    assert SCHNELL in [each["endpoint"] for each in models["items"]]
