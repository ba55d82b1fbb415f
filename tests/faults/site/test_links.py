"""Signed links to pictures: on every instance, for a while, and for nobody without one."""

import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from patience import PATIENCE_S


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        yield client


def url_of(answer: httpx.Response) -> str:
    url: str = answer.json()["images"][0]["url"]
    return url


async def test_a_link_opens_its_picture_on_every_instance_and_nothing_else_does(
    site: Any, browser: httpx.AsyncClient
) -> None:
    site.settings["picture_url_ttl_s"] = "3600"
    one, two = await site.start(), await site.start()
    bought, again = await site.ask(one), await site.ask(two)
    url = url_of(bought)
    parts = urlsplit(url)

    seen = await browser.get(url)
    assert seen.status_code == 200
    life = seen.headers["cache-control"]
    assert life.startswith("private, max-age=3")
    assert life.endswith(", immutable")
    elsewhere = await browser.get(f"{two.url}{parts.path}?{parts.query}")
    assert elsewhere.content == seen.content
    assert urlsplit(url_of(again)).path == parts.path
    ranged = await browser.get(url, headers={"Range": "bytes=0-3"})
    assert (ranged.status_code, len(ranged.content)) == (206, 4)
    known = await browser.get(url, headers={"If-None-Match": seen.headers["etag"]})
    assert known.status_code == 304

    signature = parse_qs(parts.query)["signature"][0]
    later = str(int(time.time()) + 10**6)
    for query in ("", "expires=1", f"expires={later}&signature={signature}", "signature="):
        for method in ("GET", "HEAD"):
            refused = await browser.request(method, f"{one.url}{parts.path}?{query}")
            assert refused.status_code == 403
            assert refused.headers["cache-control"] == "no-store"
    nowhere = await browser.get(f"{one.url}/pictures/{'0' * 64}.png?{parts.query}")
    assert nowhere.status_code == 403, "whether it is there is not said"


async def test_a_queue_s_result_and_a_derived_picture_have_links_too(
    site: Any, browser: httpx.AsyncClient
) -> None:
    gateway = await site.start(picture_url_ttl_s=600)
    await site.ask(gateway)
    derived = await site.ask(gateway, output_format="webp")
    assert (await browser.get(url_of(derived))).headers["content-type"] == "image/webp"

    headers = {"Authorization": f"Key {await site.key()}"}
    queued = await browser.post(
        f"{gateway.url}/queue/fal-ai/gpt-image-1.5",
        json={"prompt": "canary-wish a fox", "quality": "low"},
        headers=headers,
    )
    result = await browser.get(queued.json()["response_url"], headers=headers)
    assert "signature=" in url_of(result)
    assert (await browser.get(url_of(result))).status_code == 200


async def test_without_the_setting_a_url_is_plain_and_good_for_ever(
    site: Any, browser: httpx.AsyncClient
) -> None:
    gateway = await site.start()
    url = url_of(await site.ask(gateway))

    assert "?" not in url
    seen = await browser.get(url)
    assert seen.headers["cache-control"] == "public, max-age=86400, immutable"
