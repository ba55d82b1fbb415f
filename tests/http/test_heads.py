"""HEAD wherever GET is, fields that were left out, and hosts that are nobody's."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

MODEL = "/fal-ai/gpt-image-1.5"
QUEUE = f"/queue{MODEL}"
BODY = {"prompt": "heads", "quality": "low", "output_format": "jpeg"}

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/docs/assets/swagger-ui.css",
        "/.well-known/jwks.json",
        "/api/openapi/queue/openapi.json?endpoint_id=fal-ai/gpt-image-1.5",
        "/nowhere",
    ],
)
async def test_head_is_get_without_its_body(client: httpx.AsyncClient, path: str) -> None:
    asked, got = await client.head(path), await client.get(path)

    assert asked.status_code == got.status_code
    assert asked.headers.get("content-type") == got.headers.get("content-type")
    assert asked.content == b""
    assert got.content


async def test_a_stream_is_over_with_its_head(client: httpx.AsyncClient, ask: Ask) -> None:
    submitted = (await ask(QUEUE)).json()

    for url in (f"{submitted['status_url']}/stream", submitted["status_url"]):
        answer = await client.head(url)
        assert answer.status_code in {200, 202}
        assert answer.headers["x-fal-request-id"] == submitted["request_id"]
    assert (await client.get("/healthz")).status_code == 200


async def test_fields_that_are_left_out_are_named(client: httpx.AsyncClient, ask: Ask) -> None:
    odd = {"seed": 1, "guidance scale": 2, "\u20ac": 3, "a\r\nX: y": 4, "x" * 65: 5, "loras": []}
    names = "loras, seed"

    for path in (MODEL, f"/v1/quote{MODEL}", QUEUE):
        assert (await ask(path, **odd)).headers["x-falgate-ignored"] == names
        assert "x-falgate-ignored" not in (await ask(path)).headers
    submitted = (await ask(QUEUE, **odd)).json()
    result = await client.get(submitted["response_url"])
    assert result.status_code in {200, 400}
    if result.status_code == 200:
        assert result.headers["x-falgate-ignored"] == names


async def test_a_repeat_by_name_names_them_too(ask: Ask) -> None:
    headers = {"Idempotency-Key": "heads"}

    for _ in range(2):
        assert (await ask(seed=1, headers=headers)).headers["x-falgate-ignored"] == "seed"


async def test_names_without_end_are_cut(ask: Ask) -> None:
    answer = await ask(**{f"field{number:03}": 1 for number in range(300)})

    assert answer.headers["x-falgate-ignored"].split(", ") == [f"field{n:03}" for n in range(16)]


async def test_a_host_that_is_nobodys_is_logged_once(
    gateway: Any, client: httpx.AsyncClient
) -> None:
    for _ in range(3):
        await client.post(MODEL, json=BODY, headers={"Host": "strange-one.example:81"})
    events = [json.loads(line) for line in gateway.logged().splitlines() if line[:1] == "{"]
    met = [each for each in events if each.get("host") == "strange-one.example:81"]

    assert len(met) == 1
    assert met[0]["event"] == "address.unknown_host"
    assert met[0]["level"] == "warning"


async def test_hosts_without_end_are_not_logged(gateway: Any, client: httpx.AsyncClient) -> None:
    for number in range(150):
        await client.get(
            "/api/openapi/queue/openapi.json",
            params={"endpoint_id": MODEL.strip("/")},
            headers={"Host": f"many-{number}.example"},
        )

    assert gateway.logged().count("address.unknown_host") <= 100
