"""The edge around an application that misbehaves, and the server's part in it."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC
from typing import Any

import httpx
import pytest
import uvicorn
from litestar.types import ASGIApp, Receive, Scope, Send
from patience import PATIENCE_S

from falgate.admin.api.routes import AdminParts
from falgate.admin.api.services import AdminServices
from falgate.cli.keys import mint
from falgate.core.calendar import Calendar
from falgate.egress.target import Rules
from falgate.http.address import Address
from falgate.http.app import create_applications
from falgate.http.body_limits import BodyLimits
from falgate.http.cors import Cors
from falgate.http.edge import Edge
from falgate.http.picture_urls import PictureUrls
from falgate.jobs.ports import Ports
from falgate.models.endpoints import MODELS
from falgate.requests.runtime import runtime

CALENDAR = Calendar(UTC)
MODEL = "/fal-ai/gpt-image-1.5"
PAGE = "https://app.example"
FAILED = {"detail": "Internal Server Error"}

Counted = list[tuple[str, int]]
Told = Callable[[int], Awaitable[Counted]]
Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@contextmanager
def _served(app: Any) -> Iterator[str]:
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


@pytest.fixture
def counted() -> Counted:
    """What the edge told of routes and statuses."""
    return []


@pytest.fixture
def told(counted: Counted, until: Until) -> Told:
    """Waits until as much was told: the server, a thread, tells after it has answered."""

    async def told(number: int) -> Counted:
        async def there() -> bool:
            return len(counted) >= number

        await until(there)
        return counted

    return told


@pytest.fixture
def behind(counted: Counted) -> Iterator[Callable[[ASGIApp], str]]:
    """A function that serves an application behind an edge, and gives the address."""
    with ExitStack() as stack:

        def serve(app: ASGIApp) -> str:
            edge = Edge(
                app,
                models={MODEL.strip("/")},
                requested=lambda route, status: counted.append((route, status)),
                refused=lambda _: None,
                bodies=BodyLimits({}, bytes_max=100, time_s=5),
                cors=Cors(frozenset({PAGE})),
            )
            return stack.enter_context(_served(edge))

        yield serve


@pytest.fixture
async def stranger() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        yield client


async def start(send: Send, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})


async def test_an_application_that_fails_is_answered_for(
    behind: Callable[[ASGIApp], str], stranger: httpx.AsyncClient, told: Told
) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        raise RuntimeError(scope["path"])

    url = f"{behind(fails)}/the-callers-own-words"
    answer = await stranger.get(url, headers={"Origin": PAGE})

    assert (answer.status_code, answer.json()) == (500, FAILED)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-fal-request-id"])
    assert await told(1) == [("other", 500)]


async def test_an_answer_that_breaks_off_is_cut_and_not_completed(
    behind: Callable[[ASGIApp], str], stranger: httpx.AsyncClient, told: Told
) -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await start(send)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    with pytest.raises(httpx.RemoteProtocolError):
        await stranger.get(behind(breaks))
    assert await told(1) == [("index", 200)]


async def test_the_application_sees_the_id_that_the_caller_gets(
    behind: Callable[[ASGIApp], str], stranger: httpx.AsyncClient
) -> None:
    async def echoes(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await start(send)
        body = scope["state"]["falgate_request_id"].encode()
        await send({"type": "http.response.body", "body": body, "more_body": False})

    url = behind(echoes)
    answers = [await stranger.get(url) for _ in range(3)]

    assert [a.text for a in answers] == [a.headers["x-fal-request-id"] for a in answers]
    assert len({answer.text for answer in answers}) == 3


async def test_who_waits_for_pictures_is_noticed_when_it_leaves(
    behind: Callable[[ASGIApp], str], stranger: httpx.AsyncClient
) -> None:
    """The body's clock must not end the wait, and the caller's leaving must be seen."""
    left = threading.Event()

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        assert (await receive())["type"] == "http.request"
        if (await receive())["type"] == "http.disconnect":
            left.set()
        await start(send)

    with pytest.raises(httpx.ReadTimeout):
        await stranger.post(behind(waits), content=b"x", timeout=0.2)
    assert await asyncio.to_thread(left.wait, 5)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (MODEL, "run"),
        (f"{MODEL}/", "run"),
        (f"/run{MODEL}", "run"),
        (f"/x{MODEL}", "other"),
        ("/queue/x", "queue"),
        ("/api/fal/proxy", "proxy"),
        ("/api/fal/proxy/", "proxy"),
        ("/api/fal/proxy/x", "other"),
        ("/api/openapi/queue/openapi.json", "openapi"),
        ("/api/openapi/queue", "other"),
        ("/pictures/x", "pictures"),
        ("/healthz", "healthz"),
        ("/readyz", "readyz"),
        ("/metrics", "metrics"),
        ("/docs/x", "docs"),
        (f"/v1/quote{MODEL}", "v1"),
        ("/admin/v1/teams/a-name", "admin"),
        ("/hooks/fal/a-job.a-mac", "hooks"),
        ("/", "index"),
        ("/HEALTHZ", "other"),
        ("/fal-ai/other", "other"),
        ("/%0a", "other"),
    ],
)
async def test_a_route_is_one_of_few(
    behind: Callable[[ASGIApp], str],
    stranger: httpx.AsyncClient,
    told: Told,
    path: str,
    route: str,
) -> None:
    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await start(send, 204)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    await stranger.get(behind(answers) + path)

    assert await told(1) == [(route, 204)]


PORTS = (
    "keys", "rates", "budgets", "stops", "pools", "catalogue", "uses", "places", "jobs",
    "requests", "pictures", "inputs", "sending", "facts", "gone",
)  # fmt: skip


class Failing:
    """Ports of which each breaks down in a way that nobody foresaw, quoting what it was given."""

    def __getattr__(self, name: str) -> Any:
        """Any method of any port."""

        async def fail(*given: Any) -> Any:
            raise LookupError(name, given)

        return fail


async def test_a_port_that_breaks_down_tells_the_caller_nothing(
    stranger: httpx.AsyncClient, counted: Counted, told: Told
) -> None:
    ports: Any = Failing()
    everything = Ports(
        models=MODELS,
        upstreams={"live": ports, "test": ports},
        **dict.fromkeys(PORTS, ports),
    )
    app = create_applications(
        runtime(everything, calendar=CALENDAR, lease_s=1, start_within_s=1, wait_s=1, kept_s=1),
        picture_urls=PictureUrls(ports, now_s=lambda: 0),
        health=ports,
        address=Address("", frozenset(), ""),
        completions=None,
        administration=AdminParts(
            services=AdminServices(
                **dict.fromkeys(("records", "budget_store", "stop_store"), ports),
                calendar=CALENDAR,
                upstreams={},
                models={},
                admin_key="",
            ),
            reports=ports,
            figures=ports,
            under_way=ports,
            ledger_healths=ports,
            deliveries=ports,
            requests=ports,
        ),
        key_set=lambda: {"keys": []},
        webhook_rules=Rules(),
        calendar=CALENDAR,
        requested=lambda route, status: counted.append((route, status)),
        refused=lambda _: None,
        bodies=BodyLimits({}, bytes_max=100, time_s=5),
        uploads=ports,
    ).apps
    key = {"Authorization": f"Key {mint('live')}"}
    with _served(app) as url:
        answers = [
            await stranger.post(f"{url}{MODEL}", json={"prompt": "mine"}, headers=key),
            await stranger.get(f"{url}/pictures/{'0' * 64}.png"),
            await stranger.get(f"{url}/readyz"),
            await stranger.get(f"{url}/metrics"),
        ]

    for answer in answers:
        assert (answer.status_code, json.loads(answer.content)) == (500, FAILED)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-fal-request-id"]
    assert await told(4) == [("run", 500), ("pictures", 500), ("readyz", 500), ("metrics", 500)]
