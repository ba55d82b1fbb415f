"""One connection to Redis for many callers: commands of a turn of the loop leave in one write."""

# redis-py takes a connection out of a pool for each command, packs it in Python, and parses each
# reply in a coroutine of its own, which costs several times what the command does in Redis. A line
# carries what requests ask (`bounded`); everything else uses the client.

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection
from redis.exceptions import ResponseError

from falgate.core.errors import Unavailable

_NO_REPLY = object()
_LOST = "Redis did not answer in time; try again"

Pushed = Callable[[Sequence[Any]], None]


class Line(asyncio.Protocol):
    """A connection. Replies are bytes or text, integers, lists and None, in order of the commands.

    Attributes:
        lost: Done once the connection has ended.
        heard: How often anything has been received.
    """

    def __init__(self, pushed: Pushed | None = None) -> None:
        """Call `pushed` with each push message of the server; without it, replies are text."""
        self._loop = asyncio.get_running_loop()
        self._pushed = pushed
        self._reader = hiredis.Reader(
            replyError=ResponseError,
            notEnoughData=_NO_REPLY,
            encoding=None if pushed else "utf-8",
        )
        self.heard = 0
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()

    def ask(self, *command: str | bytes | int) -> "asyncio.Future[Any]":
        """Send a command; the future has its reply.

        It raises `ResponseError` if Redis refuses the command, and `Unavailable` if the connection
        ends or `give_up` is called before.
        """
        reply = self._loop.create_future()
        if self.lost.done():
            reply.set_exception(Unavailable(_LOST))
            return reply
        self.send(*command)
        self._waiting.append(reply)
        return reply

    def send(self, *command: str | bytes | int) -> None:
        """Send a command whose replies are push messages."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # stub says one

    def give_up(self) -> None:
        """Let all callers go; late replies are dropped."""
        for reply in self._waiting:
            _fail(reply)

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    # --- The socket -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand out replies and push messages."""
        self.heard += 1
        self._reader.feed(data)
        try:
            while (found := self._reader.gets()) is not _NO_REPLY:
                if self._pushed and isinstance(found, hiredis.PushNotification):
                    self._pushed(found)
                else:
                    self._answer(self._waiting.popleft(), found)
        except (hiredis.ProtocolError, IndexError):
            self.close()  # whatever speaks there, it is not Redis

    def connection_lost(self, _: Exception | None) -> None:
        """Let all callers go."""
        self._transport = None
        if not self.lost.done():
            self.lost.set_result(None)
        self.give_up()
        self._waiting.clear()

    def _answer(self, reply: "asyncio.Future[Any]", found: Any) -> None:
        if reply.done():
            return
        if isinstance(found, ResponseError):
            reply.set_exception(found)
        else:
            reply.set_result(found)


def _fail(reply: "asyncio.Future[Any]") -> None:
    if not reply.done():
        reply.set_exception(Unavailable(_LOST))
        reply.exception()  # its caller may have left


async def connect(redis: Redis, pushed: Pushed | None = None) -> Line:
    """Connect to the server of a client, with its user, database and TLS settings.

    Args:
        redis: The client.
        pushed: As for `Line`; with it, the protocol is RESP3.

    Raises:
        OSError: The server cannot be reached.
        ResponseError: It refuses the user or the protocol.
        Unavailable: It ended the connection.
    """
    pool = redis.connection_pool
    named = pool.connection_kwargs
    loop = asyncio.get_running_loop()
    line: Line
    if path := named.get("path"):
        _, line = await loop.create_unix_connection(lambda: Line(pushed), path)
    else:
        plain = pool.connection_class(**named)
        tls = plain.ssl_context.get() if isinstance(plain, SSLConnection) else None
        host, port = named.get("host", "localhost"), named.get("port", 6379)
        made, line = await loop.create_connection(lambda: Line(pushed), host, port, ssl=tls)
        _keep_alive(made, named.get("socket_keepalive_options") or {})
    try:
        login = _login(named)
        if pushed:
            await line.ask("HELLO", 3, *login)
        elif login:
            await line.ask(*login)
        await line.ask("SELECT", named.get("db") or 0)
        await line.ask("CLIENT", "SETNAME", "falgate")
    except BaseException:
        line.close()
        raise
    return line


def _keep_alive(transport: asyncio.BaseTransport, options: Mapping[int, int]) -> None:
    """Set what redis-py sets too, so that a host that vanished is noticed."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in options.items():
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _login(named: dict[str, Any]) -> Sequence[str]:
    if not named.get("password"):
        return ()
    return ("AUTH", named.get("username") or "default", named["password"])
