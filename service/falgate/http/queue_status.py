"""A request's status in fal's format: the status object, and a stream of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from falgate.core.errors import Refusal
from falgate.jobs.progress import RequestProgress

KEEP_ALIVE_S = 15.0
_COMMENT = b": keep-alive\n\n"


def status_of(standing: RequestProgress, urls: Mapping[str, str], *, logs: bool) -> dict[str, Any]:
    """Return the status object; its logs are null unless they were requested."""
    phase, request = standing.phase, standing.request
    body: dict[str, Any] = {"status": phase, **urls}
    if phase == "IN_QUEUE":
        return {**body, "queue_position": standing.ahead}
    told = standing.progress.logs if standing.progress else ()
    body["logs"] = told if logs else None
    if phase == "COMPLETED":
        body["metrics"] = {"inference_time": standing.worked_s}
        if failure := request.failure:
            body["error"] = failure.error
            body["error_type"] = failure.error_type
    return body


async def events(
    standings: AsyncIterator[RequestProgress | None], urls: Mapping[str, str], *, logs: bool
) -> AsyncIterator[bytes]:
    """Yield fal's event stream: an event per change, up to COMPLETED, with keep-alive comments.

    Each event has only the log lines that no earlier one had, because fal's JavaScript client
    accumulates them. The stream ends early when Redis is away or the key was revoked; the client
    then asks for the status.
    """
    loop = asyncio.get_running_loop()
    spoke_s = loop.time()
    told: Sequence[Any] = ()
    said = b""
    try:
        async for standing in standings:
            if standing:
                body = status_of(standing, urls, logs=logs)
                lines = body.get("logs") or ()
                if lines:
                    body["logs"] = _after(lines, told)
                    told = lines
                event = b"data: " + msgspec.json.encode(body) + b"\n\n"
                # A change of the request may leave its status object unchanged.
                if event != said:
                    yield event
                    said, spoke_s = event, loop.time()
            elif loop.time() - spoke_s >= KEEP_ALIVE_S:
                yield _COMMENT
                spoke_s = loop.time()
    except Refusal:  # without Redis, or under a key that was revoked
        return


def _after(lines: Sequence[Any], told: Sequence[Any]) -> Sequence[Any]:
    """Return the lines after the last one sent, which may be gone: only the newest are kept."""
    for place in range(len(lines), 0, -1):
        if told and lines[place - 1] == told[-1]:
            return lines[place:]
    return lines
