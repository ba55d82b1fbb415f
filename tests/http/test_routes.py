"""Paths and methods: every reply has a request id, and every path that is not there says so."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.models.endpoints import MODELS

MODEL = "/fal-ai/gpt-image-1.5"
BODY = {"prompt": "routes", "quality": "low", "output_format": "jpeg"}
REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
PATHS = (
    "/",
    MODEL,
    f"/run{MODEL}",
    f"/v1/quote{MODEL}",
    "/v1/quote",
    "/hooks/fal/job.mac",
    f"{MODEL}/requests/1/status",
    "/fal-ai/nobody",
    "/nowhere",
    "/favicon.ico",
    f"/queue{MODEL}",
    "/api/fal",
    "/api/openapi/queue/openapi.json",
    "/queue",
    "/pictures/x",
    "/pictures",
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs",
    "/docs/openapi.json",
    "/docs/assets/nothing.js",
)


@pytest.mark.parametrize("path", PATHS)
async def test_every_reply_has_a_request_id_and_errors_are_json(
    client: httpx.AsyncClient, path: str
) -> None:
    seen = set()
    for method in METHODS:
        answer = await client.request(method, path, json={} if method == "POST" else None)
        assert REQUEST_ID.fullmatch(answer.headers["x-fal-request-id"]), method
        assert answer.headers.get_list("x-fal-request-id") == [answer.headers["x-fal-request-id"]]
        seen.add(answer.headers["x-fal-request-id"])
        assert answer.status_code in {200, 204, 404, 405, 422}, method
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/json", method
            assert answer.content == b"" if method == "HEAD" else answer.json().keys() == {"detail"}
        if answer.status_code == 405:
            assert method not in answer.headers["allow"].split(", ")
    assert len(seen) == len(METHODS)


async def test_a_request_id_of_the_callers_is_not_taken_over(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"x-fal-request-id": "mine"})

    assert REQUEST_ID.fullmatch(answer.headers["x-fal-request-id"])


@pytest.mark.parametrize(
    "path",
    [
        f"{MODEL}/",
        f"/run{MODEL}",
        f"/run{MODEL}/",
        "/fal%2Dai/gpt%2Dimage%2D1.5",
        f"{MODEL}?x=1",
        f"{MODEL}?%ff&=",
    ],
)
async def test_a_model_is_found_however_its_path_is_spelt(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.post(path, json=BODY)

    assert answer.status_code == 200
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/FAL-AI/gpt-image-1.5",
        f"/x{MODEL}",
        f"/run/run{MODEL}",
        "/fal-ai/gpt-image-1.5%00",
        "/fal-ai/gpt-image-1.5%0d%0aX-Injected:1",
        "/fal-ai/gpt-image-1.5%20",
        "/fal-ai/gpt-image-1.5%ff",
        "/fal-ai/gpt-image-1.5/%252e%252e/%252e%252e/metrics",
        "/fal-ai/%3Cscript%3E",
        "/" + "a" * 7_000,
    ],
)
async def test_nothing_but_a_models_path_is_a_model(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, json=BODY)

    assert answer.status_code == 404
    assert re.fullmatch(r'Application ".*" not found', answer.json()["detail"], re.DOTALL)
    assert "x-injected" not in answer.headers


async def test_a_browser_that_looks_for_what_is_not_there_is_told_so(gateway: Any) -> None:
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        answer = await stranger.get("/favicon.ico")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_the_root_says_where_things_are(gateway: Any) -> None:
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        whole, head = await stranger.get("/"), await stranger.head("/")
        found = whole.json()
        there = [await stranger.get(found[name]) for name in ("docs", "health")]
        described = await stranger.get(found["openapi"] + found["models"][0].strip("/"))

    assert (whole.status_code, found["models"]) == (200, [f"/{each}" for each in MODELS])
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert {answer.status_code for answer in (*there, described)} == {200}


async def test_only_post_runs_a_model(client: httpx.AsyncClient) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = await client.request(method, MODEL)
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


async def test_the_same_connection_serves_on_after_a_refusal(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post(MODEL, json={"prompt": 1}),
        await client.head(MODEL),
        await client.post("/nowhere", json=BODY),
        await client.post(MODEL, json=BODY),
    ]

    assert [answer.status_code for answer in answers] == [422, 405, 404, 200]
    streams = {a.extensions["network_stream"].get_extra_info("client_addr") for a in answers}
    assert len(streams) == 1


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        (b"Content-Length: -1",),
        (b"Content-Length: 2", b"Content-Length: 3"),
        (b"Content-Length: " + b"9" * 5_000,),
        (b"X: a\x00b",),
        (b"Content-Length : 2",),
        (b"no field",),
    ],
)
async def test_what_two_servers_could_read_differently_is_refused_and_cut_off(
    exchange: Callable[..., Awaitable[bytes]], lines: tuple[bytes, ...]
) -> None:
    head = b"\r\n".join((f"POST {MODEL} HTTP/1.1".encode(), b"Host: x", *lines, b"", b""))
    answer = await exchange(head + b"{}")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "start",
    [b"GET / HTTP/9.9\r\n\r\n", b"NONSENSE / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xa5\x01\x00"],
)
async def test_what_is_not_http_is_refused_and_cut_off(
    exchange: Callable[..., Awaitable[bytes]], start: bytes
) -> None:
    answer = await exchange(start)

    assert answer.startswith(b"HTTP/1.1 400 ")
