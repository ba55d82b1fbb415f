"""The sandbox on a free port, peers that break HTTP in ways no server would, and quick pauses."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
import uvicorn
from patience import PATIENCE_S

from falgate.fal.client import FalQueue
from falgate.models.endpoints import MODELS
from falgate.sandbox.app import create_sandbox

Behaviour = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Peer:
    """A server of raw bytes.

    Attributes:
        url: Where it is.
        heard: Every request, as it came.
        connections: How many were made.
    """

    def __init__(self, script: Behaviour | Mapping[str, Sequence[Behaviour]]) -> None:
        self.url = ""
        self.heard: list[bytes] = []
        self.connections = 0
        self._script = script
        self._told: dict[str, int] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes over one connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while not writer.is_closing():
                request = await _request(reader)
                self.heard.append(request)
                behaviour = self._next(request)
                if callable(behaviour):
                    await behaviour(writer)
                else:
                    writer.write(behaviour)
                    await writer.drain()
                    writer.close()
        writer.close()

    def _next(self, request: bytes) -> Behaviour:
        if not isinstance(self._script, Mapping):
            return self._script
        path = request.split(b" ", 2)[1].partition(b"?")[0].decode()
        # What is done with a request; a submit and a picture go by their whole path.
        name = path.partition("/requests/")[2].partition("/")[2] or "result"
        name = name if "/requests/" in path else path
        script = self._script[name]
        told = self._told.get(name, 0)
        self._told[name] = told + 1
        return script[min(told, len(script) - 1)]


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


@pytest.fixture
async def peer() -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    """Starts a peer that answers every request so, or by what is asked, the last answer again."""
    async with AsyncExitStack() as stack:
        running: set[asyncio.Task[None]] = set()

        async def start(
            script: Behaviour | Mapping[str, Sequence[Behaviour]],
            tls: ssl.SSLContext | None = None,
        ) -> Peer:
            made = Peer(script)

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.current_task()
                assert task is not None
                running.add(task)
                try:
                    await made.serve(reader, writer)
                except asyncio.CancelledError:
                    writer.transport.abort()  # The test is over.
                finally:
                    running.discard(task)

            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
            stack.callback(server.close)
            scheme = "https" if tls else "http"
            made.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return made

        yield start
        for task in list(running):
            task.cancel()
        if running:
            await asyncio.wait(running)


@pytest.fixture
def say() -> Callable[..., bytes]:
    """An HTTP answer: status, JSON or other text, and headers."""

    def answer(status: int, body: str = "", **headers: str) -> bytes:
        lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body.encode())}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", body]).encode()

    return answer


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """One sandbox for all tests of this process."""
    config = uvicorn.Config(
        create_sandbox(MODELS),
        log_config=None,
        lifespan="off",
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    # The socket listens already: a call waits in its backlog until the server is there.
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/queue"
    server.should_exit = True
    thread.join(timeout=PATIENCE_S)
    assert not thread.is_alive()


class Control:
    """The sandbox's dials and books.

    Attributes:
        origin: Where its pictures are.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.origin = str(client.base_url.join("/")).rstrip("/")

    def turn(self, **dials: Any) -> None:
        """Turn these dials."""
        assert self._client.post("/dials", json=dials).status_code == 200

    def books(self) -> dict[str, Any]:
        """The truth about every submit."""
        books: dict[str, Any] = self._client.get("/books").json()
        return books

    def cancel(self, request_id: str) -> None:
        """End a request that still waits for its turn."""
        url = self._client.base_url.join(
            f"/queue/fal-ai/gpt-image-1.5/requests/{request_id}/cancel"
        )
        answer = self._client.put(url, headers={"Authorization": "Key id:secret"})
        assert answer.status_code == 202


@pytest.fixture
def fal(sandbox: str) -> Iterator[Control]:
    """The control of the sandbox, with healthy dials and empty books."""
    with httpx.Client(
        base_url=sandbox.removesuffix("/queue") + "/sandbox", timeout=PATIENCE_S
    ) as client:
        client.delete("/dials")
        client.delete("/books")
        yield Control(client)


@pytest.fixture
def connections(sandbox: str) -> Callable[[], int]:
    """Counts the connections to the sandbox that this process holds open."""
    port = httpx.URL(sandbox).port
    established = "01"

    def count() -> int:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(f":{port:04X}") and row[3] == established for row in rows)

    return count


@pytest.fixture
async def queue(sandbox: str) -> AsyncIterator[Callable[..., FalQueue]]:
    """Makes clients of the sandbox, or of another URL."""
    async with AsyncExitStack() as stack:

        def make(url: str = sandbox, **options: Any) -> FalQueue:
            client = FalQueue("test", url, key="canary-id:canary-secret", **options)
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A certificate authority, and the file that makes it known."""
    made, path = trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path


@pytest.fixture(autouse=True)
def _quick(authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are short, one authority is believed, and no proxy stands between."""
    monkeypatch.setattr("falgate.fal.client._QUEUED_PAUSES_S", (0.01, 0.02))
    monkeypatch.setattr("falgate.fal.client._TROUBLED_PAUSE_S", 0.01)
    # So that a client which waits for ever fails its test.
    monkeypatch.setattr("falgate.fal.client._FOLLOW_S_MAX", 20)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
