"""Who receives webhooks, over sockets, and name servers that change their mind."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from aiohttp.abc import AbstractResolver, ResolveResult

from falgate.webhooks.delivery import Attempt, Signer
from falgate.webhooks.sender import WebhookSender

SIGNER = Signer(b"\x07" * 32, "ledger")
NOW_S = 1_763_820_000
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Receiver:
    """Keeps what it was sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.answer = OK
        self.pause_s = 0.0
        self.connections = 0
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.port = 0
        self.closed = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as long as requests come."""
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.split("\r\n")
                pairs = (line.partition(": ") for line in lines if line)
                headers = {name.lower(): value for name, _, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((first, headers, body))
                await asyncio.sleep(self.pause_s)
                writer.write(self.answer)
                await writer.drain()
                if not self.answer:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed.set()
            writer.close()


class Names(AbstractResolver):
    """A name server whose answers are given one after another, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The next answer."""
        del family
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


Listen = Callable[..., Awaitable[Receiver]]
Make = Callable[..., WebhookSender]


async def post(webhooks: WebhookSender, url: str, body: bytes = b'{"a":1}') -> Attempt:
    """Send one."""
    return await webhooks.send(url, "r-1", body, NOW_S)
