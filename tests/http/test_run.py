"""A picture over HTTP: bought, found again, shared, topped up; as a URL and as a data URI."""

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
import pytest
from patience import PATIENCE_S
from PIL import Image

MODEL = "/fal-ai/gpt-image-1.5"
ADDED = (
    "cache-control",
    "cache-status",
    "content-type",
    "x-falgate-cache",
    "x-falgate-cost-usd",
    "x-falgate-saved-usd",
    "x-fal-billable-units",
)

Ask = Callable[..., Awaitable[httpx.Response]]


TTL = re.compile("; ttl=[1-9][0-9]{1,6}")


def said(answer: httpx.Response) -> dict[str, str]:
    """What falgate says of an answer, apart from what differs each time."""
    return {name: TTL.sub("; ttl=…", answer.headers[name]) for name in ADDED}


def expected(source: str, status: str, cost: str, saved: str, units: int) -> dict[str, str]:
    return dict(
        zip(
            ADDED,
            ("private, no-store", status, "application/json", source, cost, saved, str(units)),
            strict=True,
        )
    )


async def test_what_nobody_asked_for_before_is_bought(ask: Ask) -> None:
    answer = await ask(prompt="a lone lighthouse")

    assert answer.status_code == 200
    assert said(answer) == expected("miss", "falgate; fwd=miss; stored", "0.011045", "0.00", 1)
    assert re.fullmatch(r"\d+\.\d{2,6}", answer.headers["x-falgate-budget-remaining-usd"])
    assert int(answer.headers["age"]) <= 5
    assert UUID(answer.headers["x-fal-request-id"]).version == 4


async def test_what_was_bought_is_free_from_then_on(ask: Ask) -> None:
    bought = await ask()
    again = await ask()

    assert again.status_code == 200
    assert again.content == bought.content
    assert said(again) == expected("hit", "falgate; hit; ttl=…", "0.00", "0.009", 0)
    assert "x-falgate-budget-remaining-usd" not in again.headers
    assert again.headers["x-fal-request-id"] != bought.headers["x-fal-request-id"]


async def test_only_what_is_missing_is_bought(ask: Ask) -> None:
    first = await ask(prompt="two towers in fog")
    more = await ask(prompt="two towers in fog", num_images=2)

    assert said(more) == expected("partial", "falgate; fwd=partial; stored", "0.011045", "0.009", 1)
    assert more.json()["images"][:1] == first.json()["images"]
    assert len({image["url"] for image in more.json()["images"]}) == 2


async def test_fewer_than_there_are_is_a_hit_on_the_first(ask: Ask) -> None:
    two = await ask(num_images=2)
    one = await ask(num_images=1)

    assert one.headers["x-falgate-cache"] == "hit"
    assert one.json()["images"] == two.json()["images"][:1]


@pytest.mark.usefixtures("working")
async def test_who_asks_at_the_same_time_shares_one_purchase(ask: Ask) -> None:
    answers = await asyncio.gather(*(ask() for _ in range(5)))

    assert {answer.content for answer in answers} == {answers[0].content}
    sources = Counter(answer.headers["x-falgate-cache"] for answer in answers)
    assert sources["miss"] == 1
    assert sources["coalesced"] + sources["hit"] == 4, "one may come when all is over"
    joined = next(a for a in answers if a.headers["x-falgate-cache"] == "coalesced")
    assert said(joined) == expected("coalesced", "falgate; fwd=miss; collapsed", "0.00", "0.009", 0)


async def test_the_age_is_that_of_the_oldest_picture(ask: Ask) -> None:
    made = await ask()
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while int((again := await ask()).headers["age"]) < 1:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.1)

    # A purchase may end in another second than the one in which its picture was stored.
    assert 0 <= int(made.headers["age"]) <= int(again.headers["age"])
    more = await ask(num_images=2)
    assert int(more.headers["age"]) >= int(again.headers["age"])


async def test_an_answer_has_fals_form_and_is_true(ask: Ask, client: httpx.AsyncClient) -> None:
    answer = await ask(image_size="1536x1024", output_format="webp")

    assert list(answer.json()) == ["images"]
    (image,) = answer.json()["images"]
    assert list(image) == ["url", "content_type", "file_name", "file_size", "width", "height"]
    shown = await client.get(image["url"])
    assert shown.headers["content-type"] == image["content_type"] == "image/webp"
    assert image["url"].endswith(f"/pictures/{image['file_name']}")
    assert len(shown.content) == image["file_size"]
    picture = Image.open(BytesIO(shown.content))
    assert (picture.format, picture.size) == ("WEBP", (image["width"], image["height"]))
    assert picture.size == (1536, 1024)


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
async def test_a_data_uri_is_the_very_picture_that_a_url_shows(
    ask: Ask, client: httpx.AsyncClient, output_format: str
) -> None:
    inline = await ask(num_images=2, sync_mode=True, output_format=output_format)
    linked = await ask(num_images=2, sync_mode=False, output_format=output_format)

    assert inline.headers["x-falgate-cache"] == "miss"
    assert linked.headers["x-falgate-cache"] == "hit"
    for held, shown in zip(inline.json()["images"], linked.json()["images"], strict=True):
        intro, _, data = held.pop("url").partition(",")
        assert intro == f"data:image/{output_format};base64"
        url = shown.pop("url")
        assert base64.b64decode(data, validate=True) == (await client.get(url)).content
        assert held == shown


async def test_the_run_prefix_is_the_same_model(ask: Ask) -> None:
    bought = await ask(f"/run{MODEL}")
    again = await ask(MODEL)

    assert bought.headers["x-falgate-cache"] == "miss"
    assert again.headers["x-falgate-cache"] == "hit"
    assert again.content == bought.content


async def test_a_test_key_has_pools_of_its_own(ask: Ask, gateway: Any) -> None:
    live = await ask()
    key = await gateway.issue("test")
    first = await ask(headers={"Authorization": f"Key {key}"})
    second = await ask(headers={"Authorization": f"Key {key}"})

    assert [each.headers["x-falgate-cache"] for each in (live, first, second)] == [
        "miss",
        "miss",
        "hit",
    ]


async def test_a_bearer_token_is_a_key_as_well(ask: Ask, client: httpx.AsyncClient) -> None:
    bearer = client.headers["Authorization"].replace("Key ", "bearer ")

    assert (await ask(headers={"Authorization": bearer})).status_code == 200


@pytest.mark.usefixtures("working")
async def test_a_caller_that_leaves_has_paid_for_who_comes_next(client: httpx.AsyncClient) -> None:
    body = {"prompt": "left alone", "quality": "low"}
    with pytest.raises(httpx.ReadTimeout):
        await client.post(MODEL, json=body, timeout=0.1)
    answer = await client.post(MODEL, json=body)

    assert answer.headers["x-falgate-cache"] in {"hit", "coalesced"}
