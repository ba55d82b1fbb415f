"""One exchange over HTTP with bounds that httpx does not have: on its whole time and its bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import msgspec


class Unusable(Exception):
    """The peer answered with something that is no answer: too large, encoded, or no JSON."""


class Reply(msgspec.Struct, frozen=True):
    """What came back.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        body: All of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Unusable: It is none.
        """
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unusable("the answer is no JSON") from error


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    deadline_s: float,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Reply:
    """Send a request and read its whole answer. Redirects are answers, never followed.

    Raises:
        TimeoutError: It took longer than `deadline_s` in all; httpx's own time-outs are for each
            operation, and a peer that drips never meets them.
        httpx.HTTPError: The connection failed.
        Unusable: The answer is longer than `bytes_max`, or encoded although we asked it not to be.
    """
    asked = {"Accept-Encoding": "identity", **(headers or {})}
    async with (
        asyncio.timeout(deadline_s),
        connected(),
        client.stream(method, url, headers=asked, content=content) as response,
    ):
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Unusable("the answer is compressed although that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > bytes_max:
                raise Unusable(f"the answer is longer than {bytes_max} bytes")
        declared = response.headers.get("content-length")
        if declared is not None and int(declared) != len(body):
            raise httpx.RemoteProtocolError("the answer is shorter than it said")
        return Reply(response.status_code, dict(response.headers), bytes(body))


@asynccontextmanager
async def connected() -> AsyncIterator[None]:
    """Give those errors of aiohttp httpx's base class that httpx-aiohttp lets through."""
    try:
        yield
    except aiohttp.ClientError as error:
        raise httpx.RemoteProtocolError(type(error).__name__) from error


def encode(body: Mapping[str, Any]) -> bytes:
    """A JSON body in the compact form that fal's own clients send."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
