"""Receivers at addresses of this machine, and senders that may go there."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from receiving import SIGNER, Receiver

from falgate.egress.target import Rules, rules
from falgate.webhooks.sender import WebhookSender


@pytest.fixture
async def listen() -> AsyncIterator[Callable[..., Awaitable[Receiver]]]:
    """Listens at an address of this machine; the port and TLS are as given."""
    servers: list[asyncio.Server] = []

    async def listening(
        address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> Receiver:
        receiver = Receiver()
        server = await asyncio.start_server(receiver.take, address, port, ssl=tls)
        servers.append(server)
        receiver.port = server.sockets[0].getsockname()[1]
        return receiver

    yield listening
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def sender() -> AsyncIterator[Callable[..., WebhookSender]]:
    """Makes a sender that may go to networks of this machine only."""
    made: list[WebhookSender] = []

    def make(*networks: str, allowed: Rules | None = None, **more: object) -> WebhookSender:
        may = allowed or rules(networks or ("127.0.0.0/8",), allow_http=True)
        made.append(WebhookSender(SIGNER, may, **more))  # type: ignore[arg-type]  # as given
        return made[-1]

    yield make
    for each in made:
        await each.close()
