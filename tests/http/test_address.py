"""What picture URLs begin with: as the caller addressed falgate, as long as that is ours to say."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from litestar import Request

from falgate.http.address import LOCAL, Address

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "address", "quality": "low", "output_format": "jpeg"}
OURS = Address(public_url="", hosts=LOCAL | {"images.example"}, fallback_url="http://fall:80")


def asked(scheme: str, host: str) -> Request[Any, Any, Any]:
    """A request with this Host header, as a server would have read it."""
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": MODEL,
        "scheme": scheme,
        "headers": [(b"host", host.encode("latin-1"))],
    }
    return Request(scope)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LocalHost:8080",
        "queue.localhost:1",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:8443",
        "images.example",
        "IMAGES.example:80",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_of_ours_is_taken_as_it_was_written(scheme: str, host: str) -> None:
    assert OURS.base_url(asked(scheme, host).scope) == f"{scheme}://{host}"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "evil.example#localhost",
        "localhost@evil.example",
        "localhost:80@evil.example",
        "localhost/evil",
        "localhost:80/evil",
        "localhost:",
        "localhost:x",
        "localhost:\u00b2",
        "localhost:80:80",
        "localhost\r\nX: 1",
        "localhost\n",
        "localhost\\",
        'localhost"',
        "localhost ",
        "[localhost]",
        "]localhost[",
        "::1",
        "[::1",
        "[::1]x",
        "localhost.",
    ],
)
def test_any_other_host_is_the_callers_invention(host: str) -> None:
    assert OURS.base_url(asked("http", host).scope) == "http://fall:80"


@pytest.mark.parametrize("public_url", ["https://x.example/fal", "https://x.example/fal/"])
def test_the_operators_word_is_the_last(public_url: str) -> None:
    fixed = Address(public_url=public_url, hosts=LOCAL, fallback_url="http://fall:80")

    assert fixed.base_url(asked("http", "localhost").scope) == "https://x.example/fal"


async def begins(client: httpx.AsyncClient, **headers: str) -> str:
    """What the picture's URL begins with when asked with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.post(MODEL, json=BODY, headers=named)
    url: str = answer.json()["images"][0]["url"]
    start, _, name = url.partition("/pictures/")
    assert name == answer.json()["images"][0]["file_name"]
    return start


async def test_a_caller_finds_the_pictures_where_it_found_the_model(
    client: httpx.AsyncClient, gateway: Any
) -> None:
    port = gateway.host.partition(":")[2]

    assert await begins(client) == gateway.url
    assert await begins(client, Host=f"localhost:{port}") == f"http://localhost:{port}"
    assert await begins(client, Host=f"[::1]:{port}") == f"http://[::1]:{port}"
    assert await begins(client, Host="LOCALHOST") == "http://LOCALHOST"


async def test_a_foreign_host_gets_urls_that_work(client: httpx.AsyncClient, gateway: Any) -> None:
    for host in ("evil.example", "evil.example:443", "", "%2e", "a,b"):
        assert await begins(client, Host=host) == gateway.url


@pytest.mark.parametrize(
    "host", ["x y", '"', "x\ty", "/", "localhost/x", "<b>", "a:b:c", "[", "a@b"]
)
async def test_what_no_host_looks_like_is_refused(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.post(MODEL, json=BODY, headers={"Host": host})

    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid host header"})


async def test_what_a_proxy_would_say_is_nothing_that_a_caller_may_say(
    client: httpx.AsyncClient, gateway: Any
) -> None:
    start = await begins(
        client,
        X_Forwarded_Host="evil.example",
        X_Forwarded_Proto="https",
        X_Forwarded_Prefix="/evil",
        X_Forwarded_Port="1",
        X_Forwarded_For="10.0.0.1",
        Forwarded="host=evil.example;proto=https",
        X_Original_Host="evil.example",
    )

    assert start == gateway.url


async def test_a_request_without_a_host_is_served(
    gateway: Any, exchange: Callable[..., Awaitable[bytes]]
) -> None:
    body = json.dumps(BODY).encode()
    head = (
        f"POST {MODEL} HTTP/1.0\r\nAuthorization: Key {gateway.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = await exchange(head.encode() + body)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert f'"url":"{gateway.url}/pictures/'.encode() in answer


@pytest.fixture(scope="module")
def public(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway with a public URL."""
    folder = tmp_path_factory.mktemp("public")
    with serve(folder, public_url="https://images.example/fal/") as served:
        yield served


async def test_a_public_url_is_what_everybody_gets(public: Any) -> None:
    async with public.client() as client:
        assert await begins(client) == "https://images.example/fal"
        assert await begins(client, Host="evil.example") == "https://images.example/fal"
