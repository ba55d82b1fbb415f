"""A server of pictures with a certificate of its own, and fetchers that may go there."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trustme
from aiohttp.abc import AbstractResolver

from falgate.egress.target import Rules, rules
from falgate.inputs.fetching import InputFetcher

Fetch = Callable[..., Awaitable[bytes]]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Signs the server's certificate."""
    return trustme.CA()


@pytest.fixture
async def fetch(authority: trustme.CA) -> AsyncIterator[Fetch]:
    """A function that fetches from a server that sends these pieces, and then waits if told."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "pictures.example").configure_cert(tls)
    believed = ssl.create_default_context()
    authority.configure_trust(believed)
    closing: list[asyncio.Server | InputFetcher] = []

    async def fetched(
        *pieces: bytes,
        bytes_max: int = 1_000,
        pause_s: float = 0,
        endless: bool = False,
        allowed: Rules | None = None,
        deadline_s: float = 5,
        host: str = "127.0.0.1",
        lookups: AbstractResolver | None = None,
    ) -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            try:
                for piece in pieces:
                    writer.write(piece.replace(b"{port}", str(port).encode()))
                    await writer.drain()
                    await asyncio.sleep(pause_s)
                while endless:
                    writer.write(b"x" * 1_000)
                    await writer.drain()
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        may = allowed or rules(("127.0.0.1/32",), allow_http=False)
        fetcher = InputFetcher(may, believed, lookups=lookups, deadline_s=deadline_s)
        closing.extend((server, fetcher))
        return await fetcher.fetch(f"https://{host}:{port}/a.png?secret", bytes_max)

    yield fetched
    for each in closing:
        if isinstance(each, InputFetcher):
            await each.close()
        else:
            each.close()
