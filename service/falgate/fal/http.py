"""One exchange over HTTP with bounds that httpx does not have: on its whole time and its bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from falgate.core.faults import words
from falgate.fal.connections import Passage


class Unusable(Exception):
    """The peer answered with something that is no answer: too large, encoded, or no JSON."""


class ExchangeFailed(Exception):
    """No whole answer came; the message has the kind of error and its words, without secrets.

    Attributes:
        left: Whether a byte of the request may have left: False only where that is proved.
    """

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.left = left


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
        ExchangeFailed: There was none, or not in time. httpx's own time-outs are for each
            operation, and a peer that drips never meets them.
        Unusable: The answer is longer than `bytes_max`, or encoded although we asked it not to be.
    """
    async with answering(
        client, method, url, deadline_s=deadline_s, headers=headers, content=content
    ) as response:
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
async def answering(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    deadline_s: float,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    silence_s: float | None = None,
) -> AsyncIterator[httpx.Response]:
    """Send a request, and read its answer in the block, which has until `deadline_s` too.

    The libraries raise what they like: their own errors, those of the system, of the resolver, of
    an encoding, of a URL. To whoever asks there are two kinds only, by what may have left.

    Args:
        client: Who asks.
        method: Such as "POST".
        url: Where.
        deadline_s: For all of it.
        headers: Beside those of the client.
        content: The body.
        silence_s: For how long nothing may come; None: as long as the deadline allows.

    Raises:
        ExchangeFailed: Whatever it was; `left` says what is proved.
        Unusable: The block says so.
    """
    passage = Passage()
    asked = {"Accept-Encoding": "identity", **(headers or {})}
    patience = httpx.USE_CLIENT_DEFAULT if silence_s is None else httpx.Timeout(silence_s)
    try:
        async with asyncio.timeout(deadline_s):
            request = client.build_request(
                method, url, headers=asked, content=content, timeout=patience
            )
            passage.hand_over(request)
            response = await client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()
    except (Unusable, ExchangeFailed):
        raise
    except Exception as error:
        said = words(error.__cause__ or error if isinstance(error, httpx.HTTPError) else error)
        raise ExchangeFailed(said, left=passage.begun) from error


def encode(body: Mapping[str, Any]) -> bytes:
    """A JSON body in the compact form that fal's own clients send."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
