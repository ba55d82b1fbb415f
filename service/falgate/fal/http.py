"""One HTTP exchange, with limits on its total time and size."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from falgate.core.faults import words
from falgate.fal.connections import Answer, Passage, Request, Sender

_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Unusable(Exception):
    """The peer's answer cannot be used: it is too large, compressed, or not JSON."""


class ExchangeFailed(Exception):
    """No complete answer arrived; the message has the error's type and text, without secrets.

    Attributes:
        left: Whether a byte of the request may have left; False only if it provably has not.
    """

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.left = left


class Reply(msgspec.Struct, frozen=True):
    """A complete response.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        body: The whole body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body as JSON.

        Raises:
            Unusable: It is not JSON.
        """
        try:
            return msgspec.json.decode(self.body)
        except _NOT_JSON as error:
            raise Unusable("the answer is not JSON") from error


async def exchange(
    sender: Sender,
    method: str,
    url: str,
    *,
    deadline_s: float,
    bytes_max: int,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Reply:
    """Send a request and read its whole answer. Redirects are returned, never followed.

    Raises:
        ExchangeFailed: No answer arrived, or not in time. aiohttp's other time-outs apply to each
            operation, so a peer that sends a byte now and then would never meet them.
        Unusable: The answer is longer than `bytes_max`, or compressed although we asked for
            identity.
    """
    async with answering(
        sender, method, url, deadline_s=deadline_s, headers=headers, content=content
    ) as answer:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise Unusable("the answer is compressed although identity was requested")
        pieces, size = [], 0
        async for piece in answer.pieces:
            pieces.append(piece)
            size += len(piece)
            if size > bytes_max:
                raise Unusable(f"the answer is longer than {bytes_max} bytes")
        declared = answer.headers.get("content-length")
        if declared is not None and int(declared) != size:
            raise EOFError("the answer is shorter than its Content-Length")
        return Reply(answer.status, answer.headers, b"".join(pieces))


@asynccontextmanager
async def answering(
    sender: Sender,
    method: str,
    url: str,
    *,
    deadline_s: float,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    silence_s: float | None = None,
) -> AsyncIterator[Answer]:
    """Send a request and yield its answer; the deadline covers the `async with` block too.

    The libraries raise many exceptions: their own, the system's, the resolver's, and those of
    encodings and URLs. Callers see only two kinds, by what may have left.

    Args:
        sender: Sends it.
        method: Such as "POST".
        url: The target.
        deadline_s: For the whole exchange, in seconds.
        headers: In addition to the usual ones.
        content: The body.
        silence_s: Longest time without a byte, in seconds; None means up to the deadline.

    Raises:
        ExchangeFailed: Something failed; `left` is False only if provably nothing was sent.
        Unusable: Raised by the block.
    """
    passage = Passage()
    asked = {"Accept-Encoding": "identity", **(headers or {})}
    request = Request(method, url, asked, content, silence_s)
    try:
        async with asyncio.timeout(deadline_s), sender.send(request, passage) as answer:
            yield answer
    except (Unusable, ExchangeFailed):
        raise
    except Exception as error:
        said = words(error.__cause__ or error if isinstance(error, httpx.HTTPError) else error)
        raise ExchangeFailed(said, left=passage.begun) from error


def decoded(text: bytes | str) -> Any:
    """Decode JSON; None if it is not JSON."""
    try:
        return msgspec.json.decode(text)
    except _NOT_JSON:
        return None


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode a JSON body in the compact form that fal's own clients send."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
