"""Hops on the way to a host: listeners that do one thing, proxies with tunnels, dead ends."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_QUEUED = 4


class Hops:
    """Makes hops on 127.0.0.1, and ends them with the block."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._running: set[asyncio.Task[None]] = set()
        stack.push_async_callback(self._end)

    async def listen(self, act: Act, tls: ssl.SSLContext | None = None) -> int:
        """The port of a listener that treats each connection so."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                    await act(reader, writer)
            except asyncio.CancelledError:
                pass  # The test is over.
            finally:
                writer.transport.abort()
                self._running.discard(task)

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        self._stack.callback(server.close)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def closed(self) -> int:
        """A port that nobody listens on."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
        return port

    def full(self) -> int:
        """A port that answers no further connection, because those before were never taken."""
        listener = self._stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(_QUEUED):
            waiting = self._stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        return port

    async def _end(self) -> None:
        for task in list(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)


@asynccontextmanager
async def hops() -> AsyncIterator[Hops]:
    """Hops for the time of a block."""
    async with AsyncExitStack() as stack:
        yield Hops(stack)


async def hear(reader: asyncio.StreamReader) -> bytes:
    """One request, its body too."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


def say(answer: bytes) -> Act:
    """Answers one request so, and closes."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hear(reader)
        writer.write(answer)
        await _bye(writer)

    return act


async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes before anything was read."""
    await _bye(writer)


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Resets before anything was read."""
    break_off(writer)


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says at once what is no TLS."""
    writer.write(b"220 mail.example ESMTP\r\n")
    await _bye(writer)


async def hear_and_reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Resets once a request came."""
    await hear(reader)
    break_off(writer)


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Reads on, and says nothing."""
    while await reader.read(1 << 16):
        pass


async def _bye(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def break_off(writer: asyncio.StreamWriter) -> None:
    """Have a connection end with a reset."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def tunnel(port: int) -> Act:
    """A proxy that opens a tunnel to that port, whatever place was asked for."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await hear(reader)).startswith(b"CONNECT ")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        finally:
            far_writer.transport.abort()

    return act


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
