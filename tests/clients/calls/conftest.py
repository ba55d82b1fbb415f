"""Servers behind a reverse proxy that writes down what fal's clients ask of them."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from socket import create_server
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import ClientSession, web
from patience import PATIENCE_S

from falgate.models.endpoints import MODELS
from falgate.sandbox.app import create_sandbox
from falgate.sandbox.behaviour import Behaviour

DIALS = Behaviour(work_s=0.1)
INPUT_BYTES_MAX = 200_000
"""Of the gateway, and of a body without one: little, so that a test of more is fast."""
UPLOADS = ("/rest/", "/storage/", "/cdn/", "/uploads/")
HOP = {"connection", "keep-alive", "transfer-encoding"}


def meant(request: web.BaseRequest) -> str:
    """What a request asks for, wherever the queue's routes are."""
    target = urlsplit(request.headers.get("x-fal-target-url", ""))
    proxied = request.path == "/api/fal/proxy"
    host, path = (target.netloc, target.path) if proxied else (request.host, request.path)
    if path.startswith(UPLOADS):
        return "upload"
    if request.method == "POST":
        queued = host.startswith("queue.") or path.startswith("/queue/")
        return "submit" if queued else "run"
    for name in ("status/stream", "status", "cancel"):
        if path.endswith(f"/{name}"):
            return name
    return "result"


class Front:
    """A reverse proxy before a server: it writes down what is asked, and can lose a reply.

    Attributes:
        asked: What each request asked for, in the order in which they came.
        headers: Of the last one, by their names in lower case.
        losing: How many replies to come are lost: the connection ends without one.
    """

    def __init__(self, upstream_url: str) -> None:
        self._upstream_url = upstream_url
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.losing = 0

    async def serve(
        self, certificate: Path, started: Callable[[int, int], None], ended: asyncio.Event
    ) -> None:
        """Listen on http and https until the event."""
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
        server = web.Server(self._forward, handler_cancellation=True)
        runner = web.ServerRunner(server)
        await runner.setup()
        listeners = [create_server(("127.0.0.1", 0)) for _ in range(2)]
        await web.SockSite(runner, listeners[0]).start()
        await web.SockSite(runner, listeners[1], ssl_context=tls).start()
        async with ClientSession(auto_decompress=False) as self._session:
            started(*(listener.getsockname()[1] for listener in listeners))
            await ended.wait()
            await runner.cleanup()

    async def _forward(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(meant(request))
        self.headers = {name.lower(): text for name, text in request.headers.items()}
        lost = self.losing > 0
        self.losing -= lost
        headers = {name: text for name, text in request.headers.items() if name.lower() not in HOP}
        headers["X-Forwarded-Proto"] = request.scheme
        async with self._session.request(
            request.method,
            self._upstream_url + request.raw_path,
            headers=headers,
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            if lost:
                await answer.read()
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            kept = {name: text for name, text in answer.headers.items() if name.lower() not in HOP}
            reply = web.StreamResponse(status=answer.status, headers=kept)
            await reply.prepare(request)
            async for chunk in answer.content.iter_any():
                await reply.write(chunk)
            await reply.write_eof()
            return reply


@contextmanager
def fronted(upstream_url: str, certificate: Path) -> Iterator[tuple[Front, int, int]]:
    """A front before a server, and its ports for http and https, for as long as a block."""
    front, started = Front(upstream_url), threading.Event()
    ports: list[int] = []
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    def start(*opened: int) -> None:
        ports.extend(opened)
        started.set()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        serving = front.serve(certificate, start, ended)
        thread = threading.Thread(target=runner.run, args=(serving,))
        thread.start()
        assert started.wait(PATIENCE_S), "the front did not start"
        yield front, ports[0], ports[1]
        loop.call_soon_threadsafe(ended.set)
        thread.join(PATIENCE_S)


class Target(NamedTuple):
    """Where a client is pointed: host:port of https, the URL of http, and what it is given."""

    tls: str
    base_url: str
    key: str
    ca_bundle: Path


class World(NamedTuple):
    """A server behind a front, and the sandbox that has the last word on what was bought.

    Attributes:
        target: Where apps are pointed.
        front: What writes down what they ask.
        sandbox: See above.
        poor_key: Of a team that may spend nothing.
        distinct_key: Of an app whose equal requests are distinct.
        input_bytes_max: How large an input picture may be for the gateway.
    """

    target: Target
    front: Front
    sandbox: httpx.Client
    poor_key: str = ""
    distinct_key: str = ""
    input_bytes_max: int = INPUT_BYTES_MAX

    def turn(self, **dials: Any) -> None:
        """Change how the sandbox answers the submits to come."""
        self.sandbox.post("/sandbox/dials", json=dials).raise_for_status()

    def heal(self) -> None:
        """Turn everything back."""
        self.sandbox.delete("/sandbox/dials").raise_for_status()

    def bought(self, prompt: str) -> list[dict[str, Any]]:
        """The purchases with this prompt."""
        books = self.sandbox.get("/sandbox/books").json()
        return [
            entry
            for entry in books["submits"]
            if entry["accepted"] and entry["input"]["prompt"] == prompt
        ]


@pytest.fixture(scope="session")
def sandbox(
    serve: Callable[[Any, str], AbstractContextManager[Any]],
) -> Iterator[httpx.Client]:
    """A sandbox, which has the last word on what was bought."""
    with (
        serve(create_sandbox(MODELS, behaviour=DIALS), "id:secret") as target,
        httpx.Client(base_url=target.base_url, timeout=PATIENCE_S) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def open_world(
    authority: Any, drivers: Any, sandbox: httpx.Client
) -> Callable[[str, str], AbstractContextManager[World]]:
    """A function that puts a front before a server, given its URL and an app's key."""

    @contextmanager
    def open_world(url: str, key: str) -> Iterator[World]:
        with fronted(url, authority.certificate) as (front, port, tls_port):
            target = Target(
                f"localhost:{tls_port}", f"http://127.0.0.1:{port}", key, authority.bundle
            )
            yield World(target, front, sandbox)
            drivers.leave(target.tls)

    return open_world


@pytest.fixture(scope="session")
def world(
    open_world: Callable[[str, str], AbstractContextManager[World]],
    start: Callable[..., AbstractContextManager[Any]],
    falgate: Callable[..., Any],
    sandbox: httpx.Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Where apps are pointed: at the gateway, which buys from the sandbox."""
    folder = tmp_path_factory.mktemp("gateway")
    settings = {
        "FALGATE_UPSTREAM_URL": str(sandbox.base_url.join("/queue")),
        "FALGATE_UPSTREAM_STORAGE_URL": str(sandbox.base_url),
        "FALGATE_FAL_KEY": "id:secret",
        "FALGATE_INPUT_BYTES_MAX": str(INPUT_BYTES_MAX),
        "FALGATE_BODY_BYTES_MAX": str(INPUT_BYTES_MAX),
        "FALGATE_TRUSTED_PROXIES": "127.0.0.1",
        "FALGATE_ORG_DAILY_USD": "1000",
    }
    with (
        start(folder / "data", folder, **settings) as gateway,
        open_world(gateway.url, gateway.key) as world,
    ):

        def key(team: str, *commands: str) -> str:
            """A key of a new team's app, once that is set up."""
            made = f"teams create {team}", f"apps create {team}/app"
            for command in (*made, *commands, f"keys create --team {team} --app app"):
                done = falgate(*command.split(), FALGATE_DATA_DIR=str(gateway.data))
                assert done.returncode == 0, done.stderr
            return str(done.stdout.split()[0])

        yield world._replace(
            poor_key=key("poor", "budgets set team:poor day 0"),
            distinct_key=key("own", "apps cache own/app --identical distinct"),
        )
