"""The proxy route: fal's addresses are answered by our own routes, all others are refused."""

import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from litestar.types import Receive, Scope, Send
from patience import PATIENCE_S

from falgate.http.proxy import Proxy

PROXY = "/api/fal/proxy"
ENDPOINT = "fal-ai/gpt-image-1.5"
RUN, QUEUE = f"https://fal.run/{ENDPOINT}", f"https://queue.fal.run/{ENDPOINT}"
TARGET = "x-fal-target-url"

Ask = Callable[..., Awaitable[httpx.Response]]


async def test_a_run_by_proxy_is_a_run(ask: Ask) -> None:
    by_proxy = await ask(PROXY, headers={TARGET: RUN})
    direct = await ask(f"/{ENDPOINT}")

    assert by_proxy.status_code == 200
    assert by_proxy.json() == direct.json()
    sources = [answer.headers["x-falgate-cache"] for answer in (by_proxy, direct)]
    assert sources == ["miss", "hit"]
    assert by_proxy.headers["content-type"] == "application/json"
    assert by_proxy.headers.get_list("x-fal-request-id") == [by_proxy.headers["x-fal-request-id"]]


async def test_the_queue_by_proxy_is_the_queue(client: httpx.AsyncClient) -> None:
    target = f"{QUEUE}/requests/00000000-0000-0000-0000-000000000000/status?logs=1"
    path = target.replace("https://queue.fal.run", "/queue")
    by_proxy, direct = (
        await client.get(PROXY, headers={TARGET: target}),
        await client.get(path),
    )

    assert by_proxy.status_code == direct.status_code
    assert by_proxy.json() == direct.json()


async def test_the_target_tells_run_from_queue_whatever_the_host_is(ask: Ask) -> None:
    answer = await ask(PROXY, headers={TARGET: RUN, "Host": "queue.localhost"})

    assert answer.status_code == 200


@pytest.mark.parametrize("authorization", ["", "Key x", "Bearer fg_live_x", "Basic eDp5"])
async def test_the_proxy_asks_for_a_key_as_the_route_does(gateway: Any, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        by_proxy = await stranger.post(PROXY, json={}, headers={**headers, TARGET: RUN})
        direct = await stranger.post(f"/{ENDPOINT}", json={}, headers=headers)

    assert by_proxy.status_code == direct.status_code == 401
    assert by_proxy.json() == direct.json()


async def test_refusals_come_by_proxy_as_they_are(ask: Ask, client: httpx.AsyncClient) -> None:
    wrong = await ask(PROXY, headers={TARGET: RUN}, num_images=9)
    direct = await ask(f"/{ENDPOINT}", num_images=9)
    unknown = await ask(PROXY, headers={TARGET: "https://fal.run/fal-ai/nobody"})
    get = await client.get(PROXY, headers={TARGET: RUN})
    large = await client.post(PROXY, content=b"x" * 2_000_000, headers={TARGET: RUN})

    assert (wrong.status_code, wrong.json()) == (422, direct.json())
    assert wrong.headers["x-fal-billable-units"] == "0"
    assert unknown.json() == {"detail": 'Application "nobody" not found'}
    assert (get.status_code, "POST" in get.headers["allow"]) == (405, True)
    assert large.status_code == 413


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/fal-ai/gpt-image-1.5",
        "fal.run/fal-ai/gpt-image-1.5",
        f"//fal.run/{ENDPOINT}",
        f"http://fal.run/{ENDPOINT}",
        f"HTTPS://fal.run/{ENDPOINT}",
        f"ftp://fal.run/{ENDPOINT}",
        f"https:/fal.run/{ENDPOINT}",
        f"https:\\\\fal.run/{ENDPOINT}",
        f"https://fal.run:80/{ENDPOINT}",
        f"https://fal.run:8443/{ENDPOINT}",
        f"https://fal.run:/{ENDPOINT}",
        f"https://user@fal.run/{ENDPOINT}",
        f"https://user:word@fal.run/{ENDPOINT}",
        f"https://fal.run@evil.example/{ENDPOINT}",
        f"https://evil.example/fal.run/{ENDPOINT}",
        f"https://evil.example#fal.run/{ENDPOINT}",
        f"https://evil.example?@fal.run/{ENDPOINT}",
        f"https://evil.example\\@fal.run/{ENDPOINT}",
        f"https://fal.run\\@evil.example/{ENDPOINT}",
        f"https://fal.run.evil.example/{ENDPOINT}",
        f"https://evilfal.run/{ENDPOINT}",
        f"https://evil.fal.run/{ENDPOINT}",
        f"https://queue.queue.fal.run/{ENDPOINT}",
        f"https://rest.fal.run/{ENDPOINT}",
        f"https://fal.ai/{ENDPOINT}",
        f"https://falrun.com/{ENDPOINT}",
        f"https://FAL.run/{ENDPOINT}",
        f"https://fal.run./{ENDPOINT}",
        f"https://.fal.run/{ENDPOINT}",
        f"https://fal%2erun/{ENDPOINT}",
        f"https://fal.run%2f/{ENDPOINT}",
        f"https://f\u0430l.run/{ENDPOINT}",
        f"https://\uff46al.run/{ENDPOINT}",
        f"https://xn--fl-8cd.run/{ENDPOINT}",
        f"https://127.0.0.1/{ENDPOINT}",
        f"https://[::1]/{ENDPOINT}",
        "https://fal.run",
        "https://fal.run/",
        "https://fal.run?x",
        f"https://fal.run//{ENDPOINT}",
        f"https://fal.run/../admin/v1/{ENDPOINT}",
        "https://fal.run/fal-ai/..",
        "https://fal.run/./fal-ai",
        "https://fal.run/..?x",
        "https://fal.run/%2e%2e/admin/v1/teams",
        "https://fal.run/..%2fadmin/v1/teams",
        "https://fal.run/..\\admin",
        f"{RUN}%00",
        f"{RUN};x",
        f"{RUN}#x",
        f"{RUN}?x#y",
        f"{RUN}?x y",
        f"{RUN}, {RUN}",
        f"{RUN}?\u00e9",
        f"{RUN}\t{RUN}",
    ],
)
async def test_any_other_target_is_no_valid_request(client: httpx.AsyncClient, target: str) -> None:
    for method in ("GET", "POST", "PUT"):
        named = [(TARGET.encode(), target.encode())]
        answer = await client.request(method, PROXY, headers=named)
        assert (answer.status_code, answer.json()) == (400, "Invalid request")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-fal-request-id"]


async def test_no_target_and_two_of_them_are_no_valid_request(client: httpx.AsyncClient) -> None:
    for headers in ([], [(TARGET, RUN), (TARGET, RUN)], [(TARGET, RUN), (TARGET.upper(), QUEUE)]):
        answer = await client.post(PROXY, json={}, headers=headers)
        assert (answer.status_code, answer.json()) == (400, "Invalid request")


async def test_the_default_port_may_be_written_and_a_slash_may_follow(ask: Ask) -> None:
    for target in (f"https://fal.run:443/{ENDPOINT}", f"{RUN}/", f"{RUN}?x=%2f..%2f&y=[1]"):
        assert (await ask(PROXY, headers={TARGET: target})).status_code == 200
    assert (await ask(f"{PROXY}/", headers={TARGET: RUN})).status_code == 200


async def test_other_methods_are_not_for_the_proxy(client: httpx.AsyncClient) -> None:
    for method in ("PATCH", "DELETE", "TRACE", "PROPFIND"):
        answer = await client.request(method, PROXY, headers={TARGET: RUN})
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, OPTIONS, POST, PUT"
    answer = await client.options(PROXY, headers={TARGET: RUN})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("target", ["https://fal.run/fal-ai/nobody", QUEUE, "https://evil.example"])
async def test_on_any_other_route_the_header_is_ignored(
    ask: Ask, client: httpx.AsyncClient, target: str
) -> None:
    headers = {TARGET: target}

    assert (await ask(headers=headers)).status_code == 200
    assert (await ask(f"/run/{ENDPOINT}", headers=headers)).status_code == 200
    assert (await client.get("/healthz", headers=headers)).json() == {"status": "alive"}
    assert (await client.post(f"{PROXY}/x", headers=headers)).status_code == 404


async def test_the_proxy_is_a_route_of_its_own_in_the_metrics(
    ask: Ask, client: httpx.AsyncClient
) -> None:
    async def counted() -> dict[str, float]:
        lines = (await client.get("/metrics")).text.splitlines()
        found = [line.rpartition(" ") for line in lines if 'requests_total{route="' in line]
        return {name: float(number) for name, _, number in found}

    before = await counted()
    await ask(PROXY, headers={TARGET: RUN})
    await ask(PROXY, headers={TARGET: "https://evil.example/"})
    after = await counted()

    more = {name: number - before.get(name, 0) for name, number in after.items()}
    for status in (200, 400):
        assert more[f'falgate_requests_total{{route="proxy",status="{status}"}}'] == 1
    assert more.get('falgate_requests_total{route="run",status="200"}', 0) == 0


@pytest.fixture
def told() -> list[Any]:
    """The requests that an application behind the proxy route was asked."""
    return []


@pytest.fixture
def streaming(told: list[Any]) -> Iterator[str]:
    """A proxy route in front of an application that sends events, the second when it is let."""

    async def events(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body")
        told.append((scope, body))
        headers = [(b"content-type", b"text/event-stream"), (b"x-own", b"1")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        # The connection's end, once the reader has seen the first event.
        await receive()
        told.append("left")

    server = uvicorn.Server(uvicorn.Config(Proxy(events), log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}{PROXY}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
    assert told[-1] == "left"


async def test_the_application_is_asked_what_the_target_says(
    streaming: str, told: list[Any]
) -> None:
    sent = {
        TARGET: f"{QUEUE}/requests/1/status/stream?logs=1&x=%20",
        "Authorization": "Key k",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "X-Falgate-Variation": "mine",
        "x-fal-queue-priority": "low",
        "x-app-fal-disable-fallback": "1",
        "Idempotency-Key": "once",
    }
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client,
        client.stream("PUT", streaming, json={"a": 1}, headers=sent) as answer,
    ):
        assert (answer.status_code, answer.headers["x-own"]) == (202, "1")
        assert answer.headers["content-type"] == "text/event-stream"
        assert [await anext(answer.aiter_bytes())] == [b"data: 1\n\n"]

    scope, body = told[0]
    path = f"/queue/{ENDPOINT}/requests/1/status/stream"
    assert (scope["path"], scope["raw_path"]) == (path, path.encode())
    assert (scope["method"], scope["query_string"]) == ("PUT", b"logs=1&x=%20")
    assert json.loads(body) == {"a": 1}
    names = {name.decode(): value.decode() for name, value in scope["headers"]}
    kept = {"authorization", "x-fal-queue-priority", "x-app-fal-disable-fallback"}
    for name in kept | {"idempotency-key"}:
        assert names[name] == {key.lower(): value for key, value in sent.items()}[name]
    gone = {TARGET, "cache-control", "pragma", "x-falgate-variation"}
    assert gone & names.keys() == set()
