"""The pictures route, over a socket: what a browser, a cache and a download manager rely on."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from litestar import Litestar, Request, Response
from patience import PATIENCE_S

from falgate.core.errors import Unavailable
from falgate.http.picture_urls import PictureUrls
from falgate.http.pictures import pictures_router
from falgate.pictures.storage import PictureStore

DATA = bytes(range(256)) * 4
SHA256 = hashlib.sha256(DATA).hexdigest()
NAME = f"{SHA256}.webp"
ETAG = f'"{SHA256}"'
SIZE = len(DATA)


def unavailable(_: Request[Any, Any, Any], refusal: Unavailable) -> Response[Any]:
    return Response(refusal.body(), status_code=refusal.status, headers=refusal.headers())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A gateway that serves one picture: its address and the directory that it reads."""
    directory = tmp_path_factory.mktemp("served")
    store = PictureStore(f"file://{directory}")
    asyncio.run(store.put(DATA, NAME))
    app = Litestar(
        [pictures_router(PictureUrls(store, now_s=lambda: 0))],
        exception_handlers={Unavailable: unavailable},
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        serving = threading.Thread(target=server.run, args=([listening],))
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", directory
        finally:
            server.should_exit = True
            serving.join()


@pytest.fixture
async def client(served: tuple[str, Path]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served[0], trust_env=False, timeout=PATIENCE_S) as asking:
        yield asking


async def test_a_picture_is_served_whole_with_all_that_makes_it_safe_to_keep(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(f"/pictures/{NAME}")
    assert answer.status_code == 200
    assert answer.content == DATA
    headers = dict(answer.headers)
    headers.pop("date")
    headers.pop("server")
    assert headers == {
        "content-type": "image/webp",
        "content-length": str(SIZE),
        "etag": ETAG,
        "cache-control": "public, max-age=86400, immutable",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "accept-ranges": "bytes",
        "access-control-allow-origin": "*",
    }


async def test_head_says_what_get_would(client: httpx.AsyncClient) -> None:
    got = await client.get(f"/pictures/{NAME}")
    head = await client.head(f"/pictures/{NAME}")
    assert head.status_code == 200
    assert head.content == b""
    drop = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in drop} == {
        k: v for k, v in got.headers.items() if k not in drop
    }


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000-", 1000, SIZE - 1),
        ("bytes=-4", SIZE - 4, SIZE - 1),
        ("bytes=0-99999", 0, SIZE - 1),
    ],
)
async def test_a_range_gets_that_part(
    client: httpx.AsyncClient, asked: str, first: int, last: int
) -> None:
    answer = await client.get(f"/pictures/{NAME}", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == DATA[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["content-length"] == str(last + 1 - first)
    assert answer.headers["etag"] == ETAG
    assert answer.headers["content-type"] == "image/webp"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0"])
async def test_a_range_outside_is_told_the_size(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(f"/pictures/{NAME}", headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.content == b""
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=5-4", "lines=1-2", "rubbish"])
async def test_any_other_range_gets_the_whole(client: httpx.AsyncClient, asked: str) -> None:
    answer = await client.get(f"/pictures/{NAME}", headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.content == DATA
    assert "content-range" not in answer.headers


async def test_a_range_in_several_lines_gets_the_whole(client: httpx.AsyncClient) -> None:
    lines = [("Range", "bytes=0-1"), ("Range", "bytes=4-5")]
    answer = await client.get(f"/pictures/{NAME}", headers=lines)
    assert answer.status_code == 200


async def test_a_range_goes_on_only_with_the_same_picture(client: httpx.AsyncClient) -> None:
    headers = {"Range": "bytes=0-1", "If-Range": ETAG}
    assert (await client.get(f"/pictures/{NAME}", headers=headers)).content == DATA[:2]
    headers["If-Range"] = '"another"'
    assert (await client.get(f"/pictures/{NAME}", headers=headers)).content == DATA


async def test_head_knows_no_range(client: httpx.AsyncClient) -> None:
    answer = await client.head(f"/pictures/{NAME}", headers={"Range": "bytes=0-1"})
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(SIZE)


@pytest.mark.parametrize("tags", [ETAG, f"W/{ETAG}", "*", f'"other", {ETAG}'])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_caller_that_has_it_gets_no_body(
    client: httpx.AsyncClient, method: str, tags: str
) -> None:
    headers = {"If-None-Match": tags, "Range": "bytes=0-1"}
    answer = await client.request(method, f"/pictures/{NAME}", headers=headers)
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == ETAG
    assert answer.headers["cache-control"] == "public, max-age=86400, immutable"
    assert "content-type" not in answer.headers


async def test_tags_may_come_in_several_lines(client: httpx.AsyncClient) -> None:
    lines = [("If-None-Match", '"other"'), ("If-None-Match", ETAG)]
    answer = await client.get(f"/pictures/{NAME}", headers=lines)
    assert answer.status_code == 304


async def test_a_caller_that_has_another_gets_this_one(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/pictures/{NAME}", headers={"If-None-Match": '"other"'})
    assert answer.status_code == 200
    assert answer.content == DATA


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "name",
    [
        f"{'0' * 64}.png",
        f"{SHA256}.png",
        SHA256,
        f"{SHA256}.svg",
        NAME.upper(),
        f"x/{NAME}",
        f"..%2f..%2f{NAME}",
        "%2e%2e%2fcheck",
        "..%5ccheck",
        f"{NAME}%00",
        f"{NAME}%0a",
        "%ff%fe",
        "a" * 5000,
    ],
)
async def test_an_unknown_or_odd_name_is_not_found(
    client: httpx.AsyncClient, method: str, name: str
) -> None:
    answer = await client.request(method, f"/pictures/{name}")
    assert answer.status_code == 404
    assert answer.content == (b'{"detail":"Picture not found"}' if method == "GET" else b"")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_present_picture_needs_no_precondition_to_be_missing(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(f"/pictures/{'0' * 64}.png", headers={"If-None-Match": "*"})
    assert answer.status_code == 404


async def test_nothing_but_reading_is_allowed(client: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE"):
        answer = await client.request(method, f"/pictures/{NAME}", content=b"x")
        assert answer.status_code == 405


async def test_a_store_that_cannot_be_asked_is_not_a_missing_picture(
    client: httpx.AsyncClient, served: tuple[str, Path]
) -> None:
    _, directory = served
    away = directory.rename(directory.with_name("away"))
    try:
        answer = await client.get(f"/pictures/{NAME}")
    finally:
        away.rename(directory)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert str(directory) not in answer.text


async def test_one_connection_serves_one_request_after_another(client: httpx.AsyncClient) -> None:
    """A HEAD or 304 with a body, or a wrong length, would spoil what follows on the connection."""
    methods = ["HEAD", "GET", "HEAD", "GET"]
    answers = [await client.request(method, f"/pictures/{NAME}") for method in methods]
    streams = {
        answer.extensions["network_stream"].get_extra_info("client_addr") for answer in answers
    }
    assert len(streams) == 1
    assert [len(answer.content) for answer in answers] == [0, SIZE, 0, SIZE]
