"""Callers that wait: many connections, of which each has as little of a client as can be."""

import asyncio
import json
from urllib.parse import urlsplit

from bench import work
from bench.gateway import Gateway
from bench.processes import Failed

OK = 200


class Caller:
    """One connection to a gateway, kept alive."""

    def __init__(self, gateway: Gateway) -> None:
        self._at = urlsplit(gateway.http)
        self._head = "".join(
            f"{name}: {value}\r\n"
            for name, value in {"Host": self._at.netloc, **work.headers(gateway.key)}.items()
        )

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of an answer."""
        if not hasattr(self, "_reader"):
            host, port = self._at.hostname, self._at.port
            self._reader, self._writer = await asyncio.open_connection(host, port)
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(answer[9:12]), await self._reader.readexactly(length)

    async def submit(self, prompt: str) -> str:
        """The id of a new request of the queue."""
        body = work.body(prompt, output_format="jpeg")
        status, answer = await self.ask("POST", f"/queue{work.MODEL}", body)
        if status != OK:
            raise Failed(f"a submit was answered {status}: {answer[:300]!r}")
        return str(json.loads(answer)["request_id"])

    def close(self) -> None:
        """End the connection."""
        if hasattr(self, "_writer"):
            self._writer.close()


async def submit_all(gateway: Gateway, number: int, at_once: int = 8) -> list[str]:
    """The ids of so many distinct requests, in the order of their prompts."""
    callers = [Caller(gateway) for _ in range(at_once)]

    async def submit_some(caller: Caller, first: int) -> list[tuple[int, str]]:
        return [
            (each, await caller.submit(f"wish {each}")) for each in range(first, number, at_once)
        ]

    parts = await asyncio.gather(*(submit_some(c, first) for first, c in enumerate(callers)))
    for caller in callers:
        caller.close()
    return [request_id for _, request_id in sorted(each for part in parts for each in part)]
