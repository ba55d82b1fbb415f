"""The gallery over HTTP: pictures of a gateway with what made them, and what they look like."""

import asyncio
import io
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from contents import found
from patience import PATIENCE_S
from PIL import Image

Buy = Callable[..., Awaitable[httpx.Response]]
Hire = Callable[..., Awaitable[Any]]
MODEL = "fal-ai/gpt-image-1.5"


def names(answer: httpx.Response) -> list[str]:
    return [image["file_name"] for image in answer.json()["images"]]


@pytest.fixture
async def key(admin: httpx.AsyncClient, team: str, hire: Hire) -> str:
    """A key of this test's team, whose app keeps prompts and shares its pictures with none."""
    settings = {"keep_prompts": True, "scope": "app"}
    changed = await admin.patch(f"/teams/{team}/apps/app", json={"cache": settings})
    assert changed.status_code == 200, changed.text
    made: str = (await hire())["key"]
    return made


async def look(admin: httpx.AsyncClient, **sought: Any) -> list[Any]:
    """The gallery's first page."""
    answer = await admin.post("/gallery/find", json=sought)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def test_a_picture_is_found_with_all_that_is_known_of_it(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str
) -> None:
    prompt = "A lighthouse at dawn, in the manner of Hokusai"
    bought = await buy(key, prompt=prompt, output_format="png")
    await buy(key, prompt=prompt, output_format="png")
    (name,) = names(bought)

    async with asyncio.timeout(PATIENCE_S):
        (item,) = await look(admin, words="hokusai LIGHTHOUSE", team=team)
        while not item["uses"]:  # uses are counted in batches
            await asyncio.sleep(0.02)
            (item,) = await look(admin, words="hokusai LIGHTHOUSE", team=team)

    assert item["name"] == name
    assert (item["width"], item["height"]) == (1024, 1024)
    assert (item["prompt"], item["prompt_cut"], item["model"]) == (prompt, False, MODEL)
    assert item["arguments"]["quality"] == "low"
    assert (item["value_usd"], item["app"], item["apps"]) == (
        "0.009",
        f"{team}/app",
        [f"{team}/app"],
    )
    assert (item["uses"], item["uses_by"]) == (1, [{"app": f"{team}/app", "uses": 1}])
    assert (item["pinned"], item["pooled"], item["master"]) == (False, True, None)
    assert item["job"]
    assert item["made_at"] <= item["used_at"] < item["until"]
    assert (await admin.get(f"/gallery/{name}")).json() == item
    one = {"team": team, "app": f"{team}/app", "model": MODEL, "quality": "low"}
    assert await look(admin, **one, size="1024x1024", first=item["made_at"][:10]) == [item]
    for other in ({"size": "512x512"}, {"quality": "high"}, {"last": "2020-01-01"}):
        assert await look(admin, **{**one, **other}) == []
    assert await look(admin, words="hokusai lighthouse sunset") == []


async def test_a_converted_picture_is_shown_with_its_original(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str
) -> None:
    (master,) = names(await buy(key, output_format="png"))
    (made,) = names(await buy(key, output_format="webp"))

    webp, png = await look(admin, team=team)

    assert (webp["name"], webp["master"], webp["value_usd"]) == (made, master, "0.00")
    assert (png["name"], png["derived"]) == (master, [made])
    pinned = await admin.post(f"/cache/pictures/{made}/pin", json={"why": "on the cover"})
    assert pinned.json()["pinned"]
    assert [each["name"] for each in await look(admin, team=team, pinned=True)] == [made]
    rejected = await admin.post(f"/cache/pictures/{made}/reject", json={"why": "six fingers"})
    assert rejected.json() == {"pools": 2, "pictures": 2}
    assert await look(admin, team=team) == []
    assert not (await admin.get(f"/gallery/{made}")).json()["pooled"]
    lines = (await admin.get("/audit")).json()["items"]
    whys = {each["subject"]: each["why"] for each in lines}
    assert whys[f"pin {made}"] == "on the cover"
    assert whys[f"reject {made}"] == "six fingers"
    both_lines = await admin.post(f"/cache/pictures/{made}/pin", json={"why": "two\nlines"})
    assert both_lines.status_code == 400


async def test_a_reroll_of_a_converted_picture_says_why(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str
) -> None:
    (master,) = names(await buy(key, output_format="png"))
    (made,) = names(await buy(key, output_format="webp"))

    done = await admin.post(
        f"/cache/pictures/{made}/reroll", json={"why": "too dark"}, timeout=PATIENCE_S
    )

    assert done.status_code == 200, done.text
    lines = (await admin.get("/audit")).json()["items"]
    assert {each["subject"]: each["why"] for each in lines}[f"reroll {master}"] == "too dark"
    (item,) = await look(admin, team=team)
    assert item["name"] in done.json()["pictures"]
    assert item["name"] != master


async def test_pages_follow_each_other(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str
) -> None:
    bought = [names(await buy(key, prompt=f"page {number}"))[0] for number in range(3)]

    sought = {"team": team, "words": "page", "limit": 2}
    first = (await admin.post("/gallery/find", json=sought)).json()
    second = await admin.post("/gallery/find", json={**sought, "cursor": first["next_cursor"]})

    assert [each["name"] for each in first["items"]] == bought[:0:-1]
    assert [each["name"] for each in second.json()["items"]] == bought[:1]
    assert second.json()["next_cursor"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"words": "?!"},
        {"size": "big"},
        {"cursor": "1"},
        {"limit": 0},
        {"first": "0001-01-01"},
        {"x": 1},
    ],
)
async def test_what_makes_no_sense_is_refused(admin: httpx.AsyncClient, wrong: Any) -> None:
    assert (await admin.post("/gallery/find", json=wrong)).status_code == 400


async def test_thumbnails_and_files_need_no_public_url(
    admin: httpx.AsyncClient, buy: Buy, key: str, managed: Any
) -> None:
    bought = await buy(key, output_format="png")
    (name,) = names(bought)
    path = f"/cache/pictures/{name}"

    thumbnail = await admin.get(f"{path}/thumbnail")
    file = await admin.get(f"{path}/file")

    assert thumbnail.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(thumbnail.content)) as image:
        assert image.size == (256, 256)
    assert file.headers["content-type"] == "image/png"
    async with managed.client() as client:
        assert file.content == (await client.get(bought.json()["images"][0]["url"])).content
        for shown in (f"{name}.256.webp", f"..%2fthumbnails%2f{name}.256.webp"):
            assert (await client.get(f"/pictures/{shown}")).status_code == 404
        assert (await client.get(f"/admin/v1{path}/thumbnail")).status_code == 403
    for answer, of in ((thumbnail, "thumbnail"), (file, "file")):
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        etag = {"If-None-Match": answer.headers["etag"]}
        again = await admin.get(f"{path}/{of}", headers=etag)
        assert (again.status_code, again.content) == (304, b"")
    assert (await admin.get(f"{path}/thumbnail?side_px=512")).content != thumbnail.content
    assert (await admin.get(f"{path}/thumbnail?side_px=9000")).status_code == 400
    assert (await admin.get(f"/cache/pictures/{'a' * 64}/thumbnail")).status_code == 404
    assert (await admin.get(f"/gallery/{name}")).json()["holds"] == []


async def test_a_converted_picture_has_its_original_s_thumbnail(
    admin: httpx.AsyncClient, buy: Buy, key: str
) -> None:
    (master,) = names(await buy(key, output_format="png"))
    (made,) = names(await buy(key, output_format="jpeg"))

    one, other = [await admin.get(f"/cache/pictures/{each}/thumbnail") for each in (master, made)]

    assert one.headers["etag"] == other.headers["etag"]
    assert one.content == other.content


async def test_a_forgotten_prompt_leaves_no_word_and_no_thumbnail(
    admin: httpx.AsyncClient, team: str, buy: Buy, key: str, managed: Any
) -> None:
    prompt = "an unforgettable zeppelin"
    (name,) = names(await buy(key, prompt=prompt))
    assert (await admin.get(f"/cache/pictures/{name}/thumbnail")).status_code == 200
    assert len(await look(admin, words="zeppelin")) == 1
    redis = managed.redis()
    keys = {each async for each in redis.scan_iter("{fgp}:poolswith:*")}

    receipt = (await admin.post("/cache/forget", json={"prompt": prompt})).json()

    assert receipt["pictures"] == 1
    assert await look(admin, words="zeppelin") == await look(admin, team=team) == []
    left = {each async for each in redis.scan_iter("{fgp}:poolswith:*")}
    assert len(keys - left) >= 2
    assert await found(redis, "zeppelin") == []
    await redis.aclose()
    for folder in ("pictures", "thumbnails"):
        assert not list((managed.data / "media" / folder).glob(f"{name}*"))


async def test_the_request_is_shown_as_it_can_be_sent_again(
    admin: httpx.AsyncClient, buy: Buy, key: str
) -> None:
    headers = {"X-Falgate-Variation": "two"}
    prompt = 'it\'s "quoted" </script> $HOME `x` \u2028'
    (name,) = names(await buy(key, prompt=prompt, headers=headers))

    shown = (await admin.get(f"/cache/pictures/{name}/request")).json()

    assert (shown["model"], shown["headers"]) == (MODEL, headers)
    assert shown["arguments"]["prompt"] == prompt
    assert shown["snippets"].keys() == {"curl", "python", "javascript"}
    again = await buy(key, **shown["arguments"], headers=headers)
    assert (again.headers["x-falgate-cache"], names(again)) == ("hit", [name])
    assert re.search(r"fal\.run\(\"fal-ai/gpt-image-1.5\"", shown["snippets"]["javascript"])
    assert key not in json.dumps(shown)


async def test_a_prompt_that_is_not_stored_is_neither_found_nor_shown(
    admin: httpx.AsyncClient, team: str, hire: Hire, buy: Buy
) -> None:
    (name,) = names(await buy((await hire())["key"], prompt="a clandestine quagga"))

    assert await look(admin, words="quagga") == []
    (item,) = await look(admin, team=team)
    assert (item["name"], item["prompt"]) == (name, None)
    shown = (await admin.get(f"/cache/pictures/{name}/request")).json()
    assert (shown["arguments"], shown["snippets"]) == (None, None)
