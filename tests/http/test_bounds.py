"""Hostile requests to a real gateway: bounded, answered with what they are, and never a failure."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from growth import HOSTILE

from falgate.core.bounds import HEADERS, QUERIES

MODEL = "/fal-ai/gpt-image-1.5"
QUEUE = f"/queue{MODEL}"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
PICTURE = f"/pictures/{'0' * 64}.png"
BODY = {"prompt": "bounds", "quality": "low", "output_format": "jpeg"}
LENGTHS = (64, 8_000)
ANSWER_MAX = 40_000
"""Of any refusal here, bytes: what is told back is cut, but for the input, as fal quotes it."""
OF_THE_SERVER = {"content-length", "host", "x-forwarded-for"}


def written(text: str) -> bytes:
    """As it can stand in a header, with the gateway's own key in front of nothing."""
    return text.replace("\t", " ").strip().encode("latin-1", errors="replace")


@pytest.fixture(scope="module")
def bothered(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A gateway behind a proxy, for hostile requests only.

    What they leave would be in the way of others: an app may only have so much wrong input kept in
    a second, and what proxies say wrongly is logged once.
    """
    with serve(tmp_path_factory.mktemp("bothered"), trusted_proxies="127.0.0.1") as served:
        yield served


@pytest.fixture
async def hostile(bothered: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that one."""
    async with bothered.client() as asking:
        yield asking


async def asks(client: httpx.AsyncClient, name: str, text: str) -> list[httpx.Response]:
    """Every kind of request that reads headers, with this one."""
    headers: Any = {name: written(text)}
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    target = {"x-fal-target-url": f"https://queue.fal.run{MODEL}/requests/{UNKNOWN}"}
    return [
        await client.post(QUEUE, content=b"{}", headers={"Content-Type": "x/y", **headers}),
        await client.get(f"{QUEUE}/requests/{UNKNOWN}", headers=headers),
        await client.get(PICTURE, headers=headers),
        await client.get("/admin/v1/teams", headers=headers),
        await client.get("/api/fal/proxy", headers={**target, **headers}),
        await client.options(MODEL, headers={**preflight, **headers}),
        await client.post("/hooks/fal/x.y", content=b"{}", headers=headers),
    ]


async def sent(client: httpx.AsyncClient, method: str, target: str, **more: Any) -> httpx.Response:
    """The answer to a request for exactly this target, which httpx does not quote once more."""
    return await client.request(method, "", extensions={"target": target.encode()}, **more)


def is_sound(answer: httpx.Response) -> bool:
    return answer.status_code < 500 and len(answer.content) < ANSWER_MAX


@pytest.mark.parametrize("name", sorted(HEADERS.keys() - OF_THE_SERVER))
async def test_no_header_is_a_failure_and_a_long_one_is_refused(
    hostile: httpx.AsyncClient, bothered: Any, name: str
) -> None:
    refused = False
    for made in list(HOSTILE.values())[::5]:
        for length in LENGTHS:
            text = made(length)
            is_long = len(written(text)) > HEADERS[name].most
            if refused and is_long:
                continue  # nobody reads it: it is refused by its length, whatever it is made of
            answers = await asks(hostile, name, text)
            assert all(map(is_sound, answers)), (name, text[:80])
            if is_long:
                assert {answer.status_code for answer in answers} == {431}
                refused = True
    assert "Traceback" not in bothered.logged()


async def test_the_header_that_is_too_long_is_named_in_each_apis_form(
    client: httpx.AsyncClient,
) -> None:
    headers = {"Cache-Control": "a" + " " * 2_000 + "b"}
    app = await client.post(MODEL, json=BODY, headers=headers)
    admin = await client.get("/admin/v1/teams", headers=headers)

    assert app.json() == {
        "detail": "Cache-Control is longer than 1024 bytes",
        "error_type": "bad_request",
    }
    assert app.headers["x-fal-request-id"]
    assert (admin.json()["status"], admin.json()["detail"]) == (431, app.json()["detail"])
    assert admin.headers["content-type"] == "application/problem+json"


async def test_several_lines_of_one_header_are_as_long_as_together(
    client: httpx.AsyncClient,
) -> None:
    lines = [("Cache-Control", "x" * 600)] * 2
    answer = await client.post(MODEL, json=BODY, headers=lines)

    assert answer.status_code == 431


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_no_query_is_a_failure(hostile: httpx.AsyncClient, bothered: Any, name: str) -> None:
    async with bothered.admin() as admin:
        for made in list(HOSTILE.values())[::6]:
            for length in LENGTHS:
                query = urlencode({name: made(length)})
                answers = [
                    await sent(hostile, "POST", f"{QUEUE}?{query}", json={}),
                    await sent(hostile, "GET", f"{QUEUE}/requests/{UNKNOWN}/status?{query}"),
                    await sent(hostile, "GET", f"{PICTURE}?{query}"),
                    await sent(hostile, "GET", f"/api/openapi/queue/openapi.json?{query}"),
                    await sent(admin, "GET", f"/admin/v1/ledger?{query}"),
                    await sent(admin, "GET", f"/admin/v1/keys?{query}"),
                    await sent(admin, "GET", f"/admin/v1/deliveries?{query}"),
                    await sent(admin, "GET", f"/admin/v1/cache/pools?{query}"),
                    await sent(admin, "GET", f"/admin/v1/usage?{query}"),
                ]
                assert all(map(is_sound, answers)), (name, query[:80])
    assert "Traceback" not in bothered.logged()


async def test_a_query_without_end_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{QUEUE}/requests/{UNKNOWN}/status?a={'b' * 9_000}")

    assert answer.status_code == 414


@pytest.mark.parametrize("digits", [10, 5_000])
async def test_a_length_of_the_queue_with_too_many_digits_is_none(
    client: httpx.AsyncClient, digits: int
) -> None:
    answer = await client.post(QUEUE, json={}, params={"fal_max_queue_length": "0" * digits})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/queue/fal-ai/{}",
        "/run/{}",
        f"{QUEUE}/requests/{{}}",
        f"{QUEUE}/requests/{{}}/status",
        f"{QUEUE}/requests/{UNKNOWN}/{{}}",
        "/pictures/{}",
        "/hooks/fal/{}",
        "/admin/v1/teams/{}",
        "/admin/v1/teams/a/apps/{}",
        "/admin/v1/keys/{}",
        "/admin/v1/budgets/{}/day",
        "/admin/v1/accounts/{}",
        "/admin/v1/deliveries/{}",
        "/admin/v1/cache/pools/{}",
        "/admin/v1/cache/pictures/{}",
        "/v1/quote/{}",
        "/docs/assets/{}",
        "/{}",
    ],
)
async def test_no_path_is_a_failure(client: httpx.AsyncClient, gateway: Any, path: str) -> None:
    headers = {"Authorization": f"Key {gateway.admin_key}"} if "admin" in path else {}
    for made in list(HOSTILE.values())[::4]:
        for length in LENGTHS:
            url = path.format(quote(made(length)))[:60_000]
            answers = [
                await sent(client, "GET", url, headers=headers),
                await sent(client, "POST", url, json={}, headers=headers),
            ]
            assert all(map(is_sound, answers)), url[:80]
    assert "Traceback" not in gateway.logged()


@pytest.mark.parametrize("whole", [b'{"a":' * 9_000, b"[" * 9_000, b"9" * 9_000, b'{"prompt": 1e'])
async def test_no_body_is_a_failure(client: httpx.AsyncClient, gateway: Any, whole: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with gateway.admin() as admin:
        answers = [
            await client.post(MODEL, content=whole, headers=headers),
            await client.post(QUEUE, content=whole, headers=headers),
            await client.post(f"/v1/quote{MODEL}", content=whole, headers=headers),
            await admin.post("/teams", content=whole, headers=headers),
            await admin.post("/cache/forget", content=whole, headers=headers),
        ]

    assert [answer.status_code for answer in answers] == [422, 200, 422, 400, 400]
    assert "Traceback" not in gateway.logged()


ECHOED = ["a%0d%0aX:y", "a%0ab", "%E2%82%AC", "a" * 5_000, UNKNOWN.upper(), "nothing", UNKNOWN]


@pytest.mark.parametrize("request_id", ECHOED)
@pytest.mark.parametrize("action", ["", "/status", "/status/stream", "/cancel"])
async def test_an_id_that_is_not_found_is_told_back_nowhere(
    exchange: Callable[..., Awaitable[bytes]], gateway: Any, request_id: str, action: str
) -> None:
    method = "PUT" if action == "/cancel" else "GET"
    line = f"{method} {QUEUE}/requests/{request_id}{action} HTTP/1.1\r\n"
    rest = f"Host: {gateway.host}\r\nConnection: close\r\nAuthorization: Key {gateway.key}\r\n\r\n"
    head, _, body = (await exchange(f"{line}{rest}".encode())).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 404 ")
    assert json.loads(body) == (
        {"status": "NOT_FOUND"} if action else {"detail": "Request not found"}
    )
    assert request_id.encode() not in head
    assert b"\r\nx:" not in head.lower()
