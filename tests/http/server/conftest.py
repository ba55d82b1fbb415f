"""The server by itself: an application that says what it was asked, and clients that send bytes."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
import uvloop
from shortcut import HitShortcut

from falgate.http.server import Connections, Limits, Listener

HEARD_S = 60.0
_LOOK_S = 0.01
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

_SHORT = {
    "{n}": "GET /n HTTP/1.1¶Host: x¶¶",
    "{P}": "POST /p HTTP/1.1¶Host: x¶",
    "{H}": "POST /hit HTTP/1.1¶Host: x¶",
    "{G}": "GET /n HTTP/1.1¶Host: x¶",
    "{U}": "Connection: Upgrade¶Upgrade: h2c¶",
    "{T}": "Transfer-Encoding: chunked¶",
    "{L}": "Content-Length: 3¶",
    "{c}": "3¶abc¶0¶¶",
    "{E}": "GET /evil HTTP/1.1¶Host: y¶¶",
}
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\0": "\0"}


class Case(NamedTuple):
    """Bytes that a client sends, and what must come of them.

    Attributes:
        name: What they are.
        sent: They.
        statuses: Of the answers, in order.
        closed: The connection ends; else it serves another request.
        text: What must have come.
    """

    name: str
    sent: bytes
    statuses: list[str]
    closed: bool
    text: bytes


class Heard(NamedTuple):
    """What came over a connection.

    Attributes:
        data: All of it.
        closed: The server has ended it.
    """

    data: bytes
    closed: bool

    @property
    def statuses(self) -> list[str]:
        """Of the answers, in order."""
        return [each.decode() for each in re.findall(rb"HTTP/1\.1 (\d\d\d) ", self.data)]


def _repeated(text: str) -> str:
    return re.sub(r"\{(\d+)\*([^}]*)\}", lambda found: found[2] * int(found[1]), text)


def _bytes(text: str) -> bytes:
    for short, long in _SHORT.items():
        text = text.replace(short, long)
    text = _repeated(text).replace("¶", "\r\n")
    return re.sub(
        r"\\x([0-9A-Fa-f]{2})|\\[nr0]",
        lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES[found[0]],
        text,
    ).encode("latin-1")


def _case(line: str) -> Case:
    name, sent, expected, *text = line.split("|")
    statuses = expected.removesuffix(" closed")
    return Case(
        name,
        _bytes(sent),
        _repeated(statuses).split(),
        statuses != expected,
        "".join(text).encode(),
    )


_LINES = (Path(__file__).parent / "cases.txt").read_text().splitlines()
CASES = [_case(line) for line in _LINES if not line.startswith("#")]


def wrong(case: Case, heard: Heard) -> str:
    """What is wrong with what was heard; nothing where it is right."""
    expected = case.statuses if case.closed else [*case.statuses, "200"]
    if (heard.statuses, heard.closed) != (expected, True):
        return f"{case.name}: {heard.statuses} instead of {expected}, closed: {heard.closed}"
    if case.text not in heard.data or b"/evil" in heard.data:
        return f"{case.name}: {heard.data[-500:]!r}"
    return ""


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Say what was asked; some paths behave as applications may."""
    path, size, fields = scope["path"], 0, dict(scope["headers"])
    if path == "/early":
        await _send(send, 403, b"early")
        return
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    if path == "/slow":
        await asyncio.sleep(0.1)
    host, trailer = (fields.get(name, b"").decode("latin-1") for name in (b"host", b"x-t"))
    said = f"[{scope['method']} {path} n={size} host={host} t={trailer}]".encode()
    body = b"created" if path == "/hit" else said
    await _send(send, 200, body, declared=path != "/chunked", bare=scope["method"] == "HEAD")


async def _send(
    send: Any, status: int, body: bytes, *, declared: bool = True, bare: bool = False
) -> None:
    headers = [(b"content-length", b"%d" % len(body))] if declared else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bare else body})


class Served(NamedTuple):
    """A server that serves.

    Attributes:
        port: Where.
        connections: Its own.
        listener: Its own.
    """

    port: int
    connections: Connections
    listener: Listener

    async def until(self, there: Callable[[], bool]) -> None:
        """Wait until something is so; an error where it takes too long."""
        for _ in range(int(HEARD_S / _LOOK_S)):
            if there():
                return
            await asyncio.sleep(_LOOK_S)
        raise TimeoutError

    async def hear(
        self,
        *parts: bytes,
        last: bool = False,
        tls: ssl.SSLContext | None = None,
        port: int | None = None,
    ) -> Heard:
        """Send parts, each in a packet of its own, and hear all until the end.

        Args:
            parts: What is sent.
            last: Send a further request behind them, after which the connection ends.
            tls: For https.
            port: Of something in front.
        """
        host = "localhost" if tls else "127.0.0.1"
        reader, writer = await asyncio.open_connection(host, port or self.port, ssl=tls)
        heard = bytearray()
        closed = False
        try:
            with suppress(ConnectionError):
                for part in (*parts, LAST) if last else parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARD_S):
                    with suppress(ConnectionError):
                        while piece := await reader.read(1 << 16):
                            heard += piece
                    closed = True
        finally:
            writer.close()
        return Heard(bytes(heard), closed)


@asynccontextmanager
async def serving(
    app: Any = echo, tls: ssl.SSLContext | None = None, **limits: Any
) -> AsyncIterator[Served]:
    """Serve an application on a free port, for as long as a block."""
    unlimited, shortcut = limits.pop("unlimited", ()), limits.pop("shortcut", None)
    connections = Connections(app, Limits(**limits), unlimited=unlimited, shortcut=shortcut)
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener = Listener(connections, sock, tls)
    try:
        yield Served(sock.getsockname()[1], connections, listener)
    finally:
        listener.close()
        await connections.abort(1)
        connections.close()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that serves: its transports behave in ways of their own."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractAsyncContextManager[Served]]:
    """A function that serves an application, for as long as a block."""
    return serving


@pytest.fixture(scope="session")
def cases() -> Iterable[Case]:
    """All cases."""
    return CASES


@pytest.fixture(scope="session")
def judged() -> Callable[[Case, Heard], str]:
    """A function that tells what is wrong with what was heard."""
    return wrong


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificate of localhost."""
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server shows, and what its clients trust."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each case is a test where a test takes one."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=[each.name for each in CASES])


@pytest.fixture
def shortcut() -> HitShortcut:
    """A shortcut for some paths of `echo`."""
    return HitShortcut()
