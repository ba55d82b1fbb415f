"""Behind a proxy that shares its connections: whatever one caller sends, others get their own."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, product
from pathlib import Path
from typing import Any, NamedTuple

from patience import PATIENCE_S

OTHERS = 8
HEARD_S = 10.0
"""A proxy keeps some of what is sent for longer than anybody has to listen."""

LINGER_S = 30.0
OFFERS = {
    "no offer": "",
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    "websocket": "Connection: upgrade\r\nUpgrade: websocket\r\n",
    "TLS": "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
}
HIDDEN = {
    "a slow request": "GET /slow HTTP/1.1\r\nHost: y\r\n\r\n",
    "half a head": "GET /n HTTP/1.1\r\nHost: y\r\nX: ",
    "half a request": "POST /n HTTP/1.1\r\nHost: y\r\nContent-Length: 300\r\n\r\n",
}
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Answering:
    """An application that says whom it answers, and notes who was given bytes of another caller.

    Attributes:
        mixed: Requests that held what another caller sent.
        connections: How many requests of others came over each connection.
    """

    def __init__(self) -> None:
        self.mixed: list[str] = []
        self.connections: dict[Any, int] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer; some paths before the body is read, or late."""
        path, body, more = scope["path"], b"", scope["path"] != "/early"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if path == "/slow":
            await asyncio.sleep(0.05)
        own = path.removeprefix("/other/").encode() if path.startswith("/other/") else None
        if own is not None:
            self.connections[scope["client"]] = self.connections.get(scope["client"], 0) + 1
        if {*re.findall(rb"secret=(\S+);", body)} - {own}:
            self.mixed.append(f"{path}: {body!r}")
        said = b"[%s %s]" % (path.encode(), body[:99])
        headers = [] if path == "/chunked" else [(b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})


class Attack(NamedTuple):
    """What a caller sends.

    Attributes:
        name: What it is.
        sent: The bytes.
        last: Wait for the connection's end, and for all that comes until then; else only for the
            first answer: what would come of the rest must meet others at once.
    """

    name: str
    sent: bytes
    last: bool

    async def send(self, proxy: Path) -> bytes:
        """Send it, and hear what comes."""
        reader, writer = await asyncio.open_unix_connection(str(proxy))
        heard = bytearray()
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(HEARD_S):
                writer.write(self.sent + (LAST if self.last else b""))
                while piece := await reader.read(1 << 16):
                    heard += piece
                    if not self.last and heard.endswith(b"]"):
                        break
        writer.close()
        return bytes(heard)


def hiding() -> Iterator[Attack]:
    """Bodies that hold a request: answered late, or one that would swallow what comes behind it."""
    for (offer, lines), framing, path, (hidden, body) in product(
        OFFERS.items(), ("length", "chunked"), ("/p", "/early"), HIDDEN.items()
    ):
        framed = f"Content-Length: {len(body)}\r\n\r\n{body}"
        if framing == "chunked":
            framed = f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n\r\n"
        sent = f"POST {path} HTTP/1.1\r\nHost: x\r\n{lines}{framed}"
        yield Attack(f"{offer}, {framing}, {path}, {hidden}", sent.encode(), last=False)


class Other:
    """Another caller, on a connection to the proxy that is kept."""

    def __init__(self, proxy: Path) -> None:
        self._proxy = proxy
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, name: str) -> str:
        """Ask for something of its own; what is wrong with the answer."""
        if self._ends is None:
            self._ends = await asyncio.open_unix_connection(str(self._proxy))
        reader, writer = self._ends
        body = f"secret={name};".encode()
        head = f"POST /other/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answered = said = b""
        with suppress(TimeoutError, EOFError, ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                answered = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", answered)
                said = await reader.readexactly(int(length[1])) if length else b""
        if said == b"[/other/%s %s]" % (name.encode(), body):
            return ""
        self.leave()
        return f"{name}: {(answered + said)!r}"

    def leave(self) -> None:
        """End its connection."""
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None


async def every(way: str, proxy: Path, attacks: Iterable[Attack]) -> list[str]:
    """Send everything through a proxy, and have others ask behind it; what was wrong."""
    others = [Other(proxy) for _ in range(OTHERS)]
    wrong = []
    for number, case in enumerate(attacks):
        heard = await case.send(proxy)
        names = [f"{way[0]}{number}-{each}" for each in range(OTHERS)]
        answers = await asyncio.gather(*map(Other.ask, others, names))
        stolen = ["what others sent"] if b"secret=" in heard else []
        wrong += [f"{way}, {case.name}: {each}" for each in (*answers, *stolen) if each]
    for other in others:
        other.leave()
    return wrong


async def test_nobody_gets_or_gives_what_is_anothers_whatever_was_sent_before(
    serve: Any, cases: list[Any], proxy: Any
) -> None:
    app = Answering()
    attacks = [*hiding(), *(Attack(case.name, case.sent, last=True) for case in cases)]
    async with (
        serve(app, unlimited=["127.0.0.1"], linger_s=LINGER_S) as server,
        proxy(server.port) as ways,
    ):
        wrong = await asyncio.gather(*(every(way, path, attacks) for way, path in ways.items()))

    assert [*chain(*wrong), *app.mixed] == []
    assert sum(app.connections.values()) == len(ways) * len(attacks) * OTHERS
    # Else nothing was shared, and nothing would have been proved.
    assert max(app.connections.values()) > 2 * OTHERS
