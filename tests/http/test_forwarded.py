"""Behind a trusted proxy, URLs in answers are those of the proxy; behind any other they are not.

`managed` trusts 127.0.0.1, which is where these tests are.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "forwarded", "quality": "low", "output_format": "jpeg"}
TOLD = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "images.example:8443",
    "X-Forwarded-Prefix": "/fal/v2",
}


@pytest.fixture
async def behind(managed: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A proxy that the gateway trusts."""
    async with managed.client() as client:
        yield client


async def begins(client: httpx.AsyncClient, *headers: tuple[str, str]) -> str:
    """What the picture's URL begins with when asked with these headers."""
    answer = await client.post(MODEL, json=BODY, headers=headers)
    url: str = answer.json()["images"][0]["url"]
    return url.partition("/pictures/")[0]


async def test_a_trusted_proxy_says_scheme_host_and_prefix(behind: httpx.AsyncClient) -> None:
    assert await begins(behind, *TOLD.items()) == "https://images.example:8443/fal/v2"


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("X-Forwarded-Proto", "http://images.example:8443/fal/v2"),
        ("X-Forwarded-Prefix", "https://images.example:8443"),
    ],
)
async def test_what_it_does_not_say_is_as_the_connection_has_it(
    behind: httpx.AsyncClient, name: str, without: str
) -> None:
    said = {header: value for header, value in TOLD.items() if header != name}

    assert await begins(behind, *said.items()) == without


async def test_a_proxy_that_keeps_the_callers_host_says_it_by_that(
    behind: httpx.AsyncClient, managed: Any
) -> None:
    said = ("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/fal")

    assert await begins(behind, *said) == f"https://{managed.host}/fal"
    for host in ("localhost", "images.example", "falgate:8080"):
        assert await begins(behind, *said, ("Host", host)) == f"https://{host}/fal"


@pytest.mark.parametrize("value", ["bad host", ", x.example", "a" * 1_000 + "/"])
async def test_a_host_of_no_clean_form_is_ignored_and_named_once(
    behind: httpx.AsyncClient, managed: Any, value: str
) -> None:
    for _ in range(2):
        said = ("X-Forwarded-Host", value), ("Host", "h.example")
        assert await begins(behind, *said) == "http://h.example"

    lines = [json.loads(line) for line in managed.logged().splitlines() if line.startswith("{")]
    named = [line for line in lines if line["event"] == "forwarded.unclean"]
    shown = [line for line in named if line["value"].startswith(value[:60])]
    assert [line["header"] for line in shown] == ["x-forwarded-host"]
    assert not any(line.get("host") == "h.example" for line in lines)


@pytest.mark.parametrize(
    ("name", "value"), [("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Prefix", "/odd/../path")]
)
async def test_so_is_a_scheme_or_a_prefix(
    behind: httpx.AsyncClient, managed: Any, name: str, value: str
) -> None:
    assert await begins(behind, (name, value)) == managed.url

    [line] = [line for line in managed.logged().splitlines() if value in line]
    assert json.loads(line)["header"] == name.lower()


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-Host", "first.example, second.example")],
        [("X-Forwarded-Host", "first.example ,")],
        [("X-Forwarded-Host", "first.example"), ("X-Forwarded-Host", "second.example")],
    ],
)
async def test_the_first_of_several_values_counts(
    behind: httpx.AsyncClient, headers: list[tuple[str, str]]
) -> None:
    assert await begins(behind, *headers) == "http://first.example"


async def test_the_first_scheme_of_several_counts_and_every_prefix(
    behind: httpx.AsyncClient,
) -> None:
    scheme, host = ("X-Forwarded-Proto", "https, http"), ("Host", "localhost")
    prefix = "X-Forwarded-Prefix"

    for said in ([(prefix, "/a,/b")], [(prefix, "/a/ , /b/")], [(prefix, "/a"), (prefix, "/b")]):
        assert await begins(behind, scheme, host, *said) == "https://localhost/a/b"
    assert await begins(behind, scheme, host, (prefix, "/a, ../b")) == "https://localhost"


@pytest.mark.parametrize(
    "host",
    ["", "a b", "a/b", "a@b", "a#b", "a\\b", 'a"b', "https://a", "a:b", "a:123456", "[a]", ", a"],
)
async def test_a_host_that_is_none_is_not_taken(
    behind: httpx.AsyncClient, managed: Any, host: str
) -> None:
    assert await begins(behind, ("X-Forwarded-Host", host)) == managed.url


@pytest.mark.parametrize("host", ["[2001:db8::1]:8443", "IMAGES.example", "192.0.2.7:80"])
async def test_any_host_that_is_one_is_taken_as_it_was_said(
    behind: httpx.AsyncClient, host: str
) -> None:
    assert await begins(behind, ("X-Forwarded-Host", host)) == f"http://{host}"


@pytest.mark.parametrize(
    "prefix",
    [
        "fal",
        "//evil.example",
        "/fal//v2",
        "/fal/..",
        "/../fal",
        "/./fal",
        "/fal%2f..",
        "/fal?x",
        "/fal#x",
        "/a b",
        "/fal\\",
        '/"',
        "https://evil.example/",
        "@evil.example",
    ],
)
async def test_a_prefix_that_is_no_clean_path_is_not_taken(
    behind: httpx.AsyncClient, managed: Any, prefix: str
) -> None:
    assert await begins(behind, ("X-Forwarded-Prefix", prefix)) == managed.url


@pytest.mark.parametrize(
    ("prefix", "taken"), [("/", ""), ("/fal/", "/fal"), ("/a.b/_c~/-d", "/a.b/_c~/-d")]
)
async def test_a_prefix_needs_no_slash_at_its_end(
    behind: httpx.AsyncClient, managed: Any, prefix: str, taken: str
) -> None:
    assert await begins(behind, ("X-Forwarded-Prefix", prefix)) == f"{managed.url}{taken}"


async def test_a_scheme_that_is_none_is_not_taken(behind: httpx.AsyncClient, managed: Any) -> None:
    for scheme in ("javascript", "wss", "", "https://", "http s"):
        assert await begins(behind, ("X-Forwarded-Proto", scheme)) == managed.url


async def test_a_caller_from_elsewhere_is_not_a_proxy_for_saying_so(managed: Any) -> None:
    """The connection's peer decides, not the address that X-Forwarded-For claims."""
    port = managed.host.partition(":")[2]
    transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    headers = {"Authorization": f"Key {managed.key}", "X-Forwarded-For": "127.0.0.1", **TOLD}
    async with httpx.AsyncClient(transport=transport, timeout=PATIENCE_S) as client:
        answer = await client.post(f"http://127.0.0.1:{port}{MODEL}", json=BODY, headers=headers)

    assert answer.json()["images"][0]["url"].startswith(f"{managed.url}/pictures/")


async def test_a_proxy_is_trusted_whoever_it_speaks_for(behind: httpx.AsyncClient) -> None:
    said = ("X-Forwarded-For", "203.0.113.9"), *TOLD.items()

    assert await begins(behind, *said) == "https://images.example:8443/fal/v2"


async def test_the_queues_host_is_told_by_the_host_that_was_addressed(
    behind: httpx.AsyncClient,
) -> None:
    queue = await behind.post(
        MODEL, json=BODY, headers={"X-Forwarded-Host": "queue.images.example"}
    )
    run = await behind.post(
        MODEL, json=BODY, headers={"X-Forwarded-Host": "images.example", "Host": "queue.backend"}
    )

    assert "images" not in queue.json()
    assert run.json()["images"]


@pytest.fixture(scope="module")
def fixed(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway with a public URL that trusts a network and an address."""
    folder = tmp_path_factory.mktemp("fixed")
    url = "https://public.example"
    with serve(folder, public_url=url, trusted_proxies="10.0.0.0/8, ::1, 127.0.0.1") as served:
        yield served


async def test_the_operators_url_is_stronger_than_a_proxys_word(fixed: Any) -> None:
    async with fixed.client() as client:
        assert await begins(client) == "https://public.example"
        assert await begins(client, *TOLD.items()) == "https://public.example"


async def test_a_request_without_any_headers_is_served(
    managed: Any, exchange: Callable[..., Awaitable[bytes]]
) -> None:
    answer = await exchange(b"GET /healthz HTTP/1.0\r\n\r\n", host=managed.host)

    assert answer.startswith(b"HTTP/1.1 200 ")
