"""The files in deploy/nginx, in front of a real gateway: pictures as falgate itself sends them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import pytest
from patience import PATIENCE_S
from shipped_nginx import BUCKET, CHECKED, UNSIGNED, nginx_before, verdict

MODEL = "/fal-ai/gpt-image-1.5"
ONLY_CACHED = {"Cache-Control": "only-if-cached"}
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
ITS_OWN = {"date", "server", "connection", "x-fal-request-id"}
"""Headers that differ: nginx has a name and a clock, it closes connections by its own settings, and
each request has an id, which a picture has not that was sent without asking falgate."""

Serve = Callable[..., AbstractContextManager[Any]]


class Way(NamedTuple):
    """A gateway with nginx before it.

    Attributes:
        gateway: The gateway.
        url: What URLs of nginx begin with.
        asks: Whether nginx asks falgate about each picture.
    """

    gateway: Any
    url: str
    asks: bool


@pytest.fixture(scope="module", params=[CHECKED, UNSIGNED])
def way(
    request: pytest.FixtureRequest, serve: Serve, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Way]:
    """Each way in which nginx sends pictures with unsigned URLs."""
    asks = request.param == CHECKED
    accel = {"picture_accel": "/stored"} if asks else {}
    folder = tmp_path_factory.mktemp("behind-nginx")
    with serve(folder, trusted_proxies="127.0.0.1", **accel) as gateway:
        media = {"/var/lib/falgate/media": f"{gateway.data}/media"}
        with nginx_before(gateway.host, request.param, media) as url:
            yield Way(gateway, url, asks)


@pytest.fixture
async def front(way: Way) -> AsyncIterator[httpx.AsyncClient]:
    """A client of nginx, with a key."""
    headers = {"Authorization": f"Key {way.gateway.key}"}
    async with httpx.AsyncClient(
        base_url=way.url, headers=headers, trust_env=False, timeout=PATIENCE_S
    ) as client:
        yield client


@pytest.fixture
async def direct(way: Way) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway itself, at an address that is not the proxy's."""
    own = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx.AsyncClient(
        base_url=way.gateway.url, transport=own, trust_env=False, timeout=PATIENCE_S
    ) as client:
        yield client


async def bought(client: httpx.AsyncClient, wish: str, **headers: str) -> httpx.Response:
    body = {"prompt": wish, "quality": "low", "output_format": "jpeg"}
    return await client.post(MODEL, json=body, headers=headers)


def told(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ITS_OWN}


def first(answer: httpx.Response) -> tuple[str, str]:
    """Return the URL of the first picture, and its name."""
    image = answer.json()["images"][0]
    return image["url"], image["file_name"]


@pytest.mark.parametrize("pictures", [CHECKED, UNSIGNED, BUCKET])
def test_nginx_accepts_what_is_shipped(pictures: str) -> None:
    answered = verdict(pictures)

    assert answered.returncode == 0, answered.stderr
    assert "[warn]" not in answered.stderr


REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    "whole": ("GET", {}),
    "head": ("HEAD", {}),
    "head of a part": ("HEAD", {"Range": "bytes=0-9"}),
    "first bytes": ("GET", {"Range": "bytes=0-9"}),
    "last bytes": ("GET", {"Range": "bytes=-7"}),
    "from a byte on": ("GET", {"Range": "bytes=100-"}),
    "several parts": ("GET", {"Range": "bytes=0-1,4-5"}),
    "no range": ("GET", {"Range": "lines=1-2"}),
    "beyond the end": ("GET", {"Range": "bytes=99999999-"}),
    "same tag": ("GET", {"If-None-Match": "ETAG"}),
    "head of the same tag": ("HEAD", {"If-None-Match": "ETAG"}),
    "one of several tags": ("GET", {"If-None-Match": '"a", W/ETAG'}),
    "any tag": ("GET", {"If-None-Match": "*"}),
    "another tag": ("GET", {"If-None-Match": '"a"'}),
    "part of the same": ("GET", {"Range": "bytes=0-9", "If-Range": "ETAG"}),
    "part of another": ("GET", {"Range": "bytes=0-9", "If-Range": '"a"'}),
    "part of a date": ("GET", {"Range": "bytes=0-9", "If-Range": DATE}),
    "since a date": ("GET", {"If-Modified-Since": f"{datetime.now(UTC):%a, %d %b %Y %T} GMT"}),
    "a long range": ("GET", {"Range": "bytes=" + ", ".join(f"{n}-{n}" for n in range(300))}),
    "written": ("PUT", {}),
    "posted": ("POST", {}),
    "deleted": ("DELETE", {}),
    "a page of another origin": ("GET", {"Origin": "https://app.example"}),
}


@pytest.mark.parametrize("how", REQUESTS)
async def test_a_picture_comes_through_nginx_as_from_falgate(
    way: Way, front: httpx.AsyncClient, direct: httpx.AsyncClient, how: str
) -> None:
    url, name = first(await bought(front, "a picture for all requests"))
    method, headers = REQUESTS[how]
    tag = f'"{name.partition(".")[0]}"'
    headers = {field: value.replace("ETAG", tag) for field, value in headers.items()}

    sent = await front.request(method, url, headers=headers)
    itself = await direct.request(method, f"/pictures/{name}", headers=headers)

    assert url == f"{way.url}/pictures/{name}"
    assert (sent.status_code, sent.content) == (itself.status_code, itself.content)
    assert told(sent) == told(itself)
    assert "x-fal-request-id" in sent.headers or not way.asks


@pytest.mark.parametrize("condition", [("If-Match", '"a"'), ("If-Unmodified-Since", DATE)])
async def test_conditions_that_falgate_ignores_are_nginx_s_where_it_has_asked(
    way: Way, front: httpx.AsyncClient, condition: tuple[str, str]
) -> None:
    url, _ = first(await bought(front, "a picture for all requests"))

    assert (await front.get(url, headers=[condition])).status_code == (412 if way.asks else 200)


@pytest.mark.parametrize(
    "path",
    [
        f"/pictures/{'0' * 64}.png",
        f"/pictures/{'0' * 64}.svg",
        "/pictures/check",
        "/pictures/..%2fcheck",
        f"/pictures/{'0' * 64}.png/x",
        "/pictures/",
    ],
)
async def test_what_is_no_picture_is_falgate_s_to_refuse(
    front: httpx.AsyncClient, direct: httpx.AsyncClient, path: str
) -> None:
    sent, itself = await front.get(path), await direct.get(path)

    assert (sent.status_code, sent.content) == (404, itself.content)
    assert told(sent) == told(itself)


async def test_a_lost_picture_is_bought_again(way: Way, front: httpx.AsyncClient) -> None:
    url, name = first(await bought(front, "a picture to lose"))
    (way.gateway.data / "media" / "pictures" / name).unlink()

    lost = await front.get(url)
    async with asyncio.timeout(PATIENCE_S):
        while (await bought(front, "a picture to lose", **ONLY_CACHED)).status_code != 504:
            await front.get(url)  # Looks have a pace, so one may be too soon after another.

    assert (lost.status_code, lost.json()) == (404, {"detail": "Picture not found"})
    assert lost.headers["cache-control"] == "no-store"
    again, _ = first(await bought(front, "a picture to lose"))
    assert (await front.get(again)).status_code == 200


async def test_no_link_among_the_pictures_is_followed(way: Way, front: httpx.AsyncClient) -> None:
    url, name = first(await bought(front, "a picture to link"))
    file, elsewhere = way.gateway.data / "media" / "pictures" / name, way.gateway.data / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)

    assert (await front.get(url)).status_code == 404


async def test_falgate_is_asked_about_a_picture_only_where_it_has_to_check(
    way: Way, front: httpx.AsyncClient
) -> None:
    url, _ = first(await bought(front, "a picture for all requests"))

    async def asked() -> float:
        lines = (await front.get("/metrics")).text.splitlines()
        counted = 'falgate_requests_total{route="pictures",status="200"} '
        return sum(float(line.removeprefix(counted)) for line in lines if line.startswith(counted))

    before = await asked()
    assert (await front.get(url)).status_code == 200
    assert await asked() - before == way.asks


@pytest.mark.parametrize("path", ["/stored/{}", "//stored/{}", "/pictures/%2e%2e/stored/{}"])
async def test_nobody_reaches_the_stored_files_past_falgate(
    front: httpx.AsyncClient, path: str
) -> None:
    _, name = first(await bought(front, "a picture for all requests"))

    past = await front.get(f"{front.base_url}".rstrip("/") + path.format(name))

    assert past.status_code == 404
    assert "image" not in past.headers["content-type"]


async def test_who_is_no_trusted_proxy_gets_bytes(way: Way, direct: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Key {way.gateway.key}"}
    _, name = first(await bought(direct, "a picture for all requests", **headers))

    sent = await direct.get(f"/pictures/{name}")

    assert len(sent.content) > 0
    assert "x-accel-redirect" not in sent.headers


async def test_a_trusted_proxy_is_told_where_the_bytes_are(way: Way) -> None:
    async with way.gateway.client() as proxy:
        _, name = first(await bought(proxy, "a picture for all requests"))
        sent = await proxy.get(f"/pictures/{name}")

    assert sent.headers.get("x-accel-redirect") == (f"/stored/{name}" if way.asks else None)
    assert (sent.content == b"") is way.asks


async def test_what_a_caller_says_of_proxies_does_not_count(
    way: Way, front: httpx.AsyncClient
) -> None:
    said = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Proto": "https",
        "X-Accel-Redirect": "/stored/x",
    }

    url, name = first(await bought(front, "a picture for all requests", **said))

    assert url == f"{way.url}/pictures/{name}"
