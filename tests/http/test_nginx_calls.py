"""Calls through nginx as deploy/nginx ships it: signed links, models, streams, bodies, failures."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from patience import PATIENCE_S
from shipped_nginx import CHECKED, SHIPPED, nginx_before

from falgate.pictures import link
from falgate.settings import Settings
from falgate.webhooks.store.secrets import secret

MODEL, QUEUE = "/fal-ai/gpt-image-1.5", "/queue/fal-ai/gpt-image-1.5"
TTL_S = 3_600

Serve = Callable[..., AbstractContextManager[Any]]


class Behind(NamedTuple):
    """A gateway, and what URLs of the nginx before it begin with."""

    gateway: Any
    url: str

    def client(self) -> httpx.AsyncClient:
        """A client of nginx, with a key."""
        headers = {"Authorization": f"Key {self.gateway.key}"}
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, timeout=PATIENCE_S
        )


@pytest.fixture(scope="module")
def signed(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """A gateway that signs links."""
    folder = tmp_path_factory.mktemp("signed")
    chosen = {"picture_accel": "/stored", "picture_url_ttl_s": str(TTL_S)}
    with serve(folder, trusted_proxies="127.0.0.1", **chosen) as gateway:
        media = {"/var/lib/falgate/media": f"{gateway.data}/media"}
        with nginx_before(gateway.host, CHECKED, media) as url:
            yield Behind(gateway, url)


@pytest.fixture(scope="module")
def waiting(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """A gateway whose sandbox works for longer than any test waits."""
    folder = tmp_path_factory.mktemp("streams")
    with (
        serve(folder, trusted_proxies="127.0.0.1", sandbox_work_s="600") as gateway,
        nginx_before(gateway.host, CHECKED, {}) as url,
    ):
        yield Behind(gateway, url)


@pytest.fixture
async def front(signed: Behind) -> AsyncIterator[httpx.AsyncClient]:
    async with signed.client() as client:
        yield client


async def bought(client: httpx.AsyncClient, wish: str, path: str = MODEL) -> httpx.Response:
    return await client.post(path, json={"prompt": wish, "quality": "low", "output_format": "jpeg"})


async def test_a_signed_link_opens_its_picture(front: httpx.AsyncClient) -> None:
    image = (await bought(front, "a signed picture")).json()["images"][0]

    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as stranger:
        seen = await stranger.get(image["url"])
        known = await stranger.get(image["url"], headers={"If-None-Match": seen.headers["etag"]})

    assert (seen.status_code, len(seen.content)) == (200, image["file_size"])
    assert seen.headers.get_list("cache-control") == [seen.headers["cache-control"]]
    assert seen.headers["cache-control"].startswith("private, max-age=3")
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("how", ["without", "wrong", "of another", "altered", "expired"])
async def test_any_other_link_opens_nothing(
    signed: Behind, front: httpx.AsyncClient, method: str, how: str
) -> None:
    image = (await bought(front, "a signed picture")).json()["images"][0]
    other = (await bought(front, "another signed picture")).json()["images"][0]
    redis = signed.gateway.redis()
    key, (now_s, _) = await secret(redis, "link_secret"), await redis.time()
    await redis.aclose()
    given = urlsplit(image["url"]).query
    query = {
        "without": "",
        "wrong": f"{given[:-1]}{'A' if given[-1] != 'A' else 'E'}",
        "of another": urlsplit(other["url"]).query,
        "altered": given.replace("expires=1", "expires=2"),
        "expired": link.signed(image["file_name"], key, now_s - 2 * TTL_S, TTL_S),
    }[how]

    refused = await front.request(method, f"/pictures/{image['file_name']}?{query}")

    assert refused.status_code == 403
    assert refused.headers["cache-control"] == "no-store"
    assert (b"expired" in refused.content) is (how == "expired" and method == "GET")


async def test_a_signed_link_gives_no_access_past_falgate(front: httpx.AsyncClient) -> None:
    url = urlsplit((await bought(front, "a signed picture")).json()["images"][0]["url"])
    name = url.path.removeprefix("/pictures/")

    assert (await front.get(f"/stored/{name}?{url.query}")).status_code == 404


async def test_an_unreadable_picture_is_an_error_that_nobody_keeps(
    signed: Behind, front: httpx.AsyncClient
) -> None:
    """nginx looks for the file in another place, as with a wrong directory in its configuration."""
    elsewhere = {"/var/lib/falgate/media": f"{signed.gateway.data}/nowhere"}
    with nginx_before(signed.gateway.host, CHECKED, elsewhere) as url:
        async with signed._replace(url=url).client() as client:
            image = (await bought(client, "a signed picture")).json()["images"][0]
            missed = await client.get(image["url"])

    assert missed.status_code == 404
    assert "cache-control" not in missed.headers


def test_nginx_waits_longer_for_pictures_than_falgate_does() -> None:
    said = re.search(r"proxy_read_timeout (\d+)s;", (SHIPPED / "falgate.conf").read_text())

    assert said is not None
    assert int(said[1]) > Settings().run_timeout_s


async def test_answers_of_models_are_neither_kept_nor_changed(
    signed: Behind, front: httpx.AsyncClient
) -> None:
    answers = [await bought(front, "a model's answer") for _ in range(3)]
    refused = await front.post(MODEL, json={"prompt": "x", "num_images": 9})
    async with signed.gateway.client() as client:
        itself = await client.post(MODEL, json={"prompt": "x", "num_images": 9})

    sources = [answer.headers["x-falgate-cache"] for answer in answers]
    assert sources == ["miss", "hit", "hit"]
    assert len({answer.headers["x-fal-request-id"] for answer in answers}) == len(answers)
    assert (refused.status_code, refused.json()) == (422, itself.json())


@pytest.mark.parametrize("size", [1_100_000, 20_000_000], ids=["a little", "far"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
async def test_a_body_that_is_too_large_is_refused_by_falgate(
    front: httpx.AsyncClient, size: int, chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(0, size, 10_000):
            yield b"x" * 10_000

    body: Any = pieces() if chunked else b"x" * size
    refused = await front.post(MODEL, content=body, headers={"Content-Type": "application/json"})

    assert refused.status_code == 413
    assert "x-fal-request-id" in refused.headers
    assert "detail" in refused.json()


async def test_a_large_body_within_the_bound_arrives_whole(
    signed: Behind, front: httpx.AsyncClient
) -> None:
    """It is more than nginx keeps in memory, 16 KiB by default."""
    wish = "a very long wish " * 50_000

    sent = await bought(front, wish)
    async with signed.gateway.client() as client:
        again = await bought(client, wish)

    assert sent.status_code == 200
    assert [each.headers["x-falgate-cache"] for each in (sent, again)] == ["miss", "hit"]


async def test_events_of_a_stream_come_at_once(waiting: Behind) -> None:
    """The stream does not end, so a proxy that fills a buffer first would never send anything."""
    async with waiting.client() as client, asyncio.timeout(PATIENCE_S):
        status_url = (await bought(client, "a stream", QUEUE)).json()["status_url"]
        async with client.stream("GET", f"{status_url}/stream") as answer:
            event = await anext(answer.aiter_bytes())

    assert status_url.startswith(waiting.url)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert b"IN_" in event


async def test_a_caller_s_address_is_that_of_nginx_s_peer(
    signed: Behind, front: httpx.AsyncClient
) -> None:
    """A key that is limited to a network, and a caller who claims to be in it."""
    async with signed.gateway.admin() as admin:
        limited = {"permissions": {"networks": ["192.0.2.0/24"]}}
        made = await admin.post("/keys", json={"team": "default", "app": "app", **limited})
    assert made.status_code == 201, made.text
    claimed = {"Authorization": f"Key {made.json()['key']}", "X-Forwarded-For": "192.0.2.1"}

    refused = await front.post(MODEL, json={"prompt": "x"}, headers=claimed)

    assert refused.status_code == 403
