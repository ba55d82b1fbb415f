"""How a request stands, in fal's words: the status object, and a stream of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from falgate.core.errors import Refusal
from falgate.jobs.progress import RequestProgress

KEEP_ALIVE_S = 15.0
_COMMENT = b": keep-alive\n\n"


def status_of(standing: RequestProgress, urls: Mapping[str, str], *, logs: bool) -> dict[str, Any]:
    """The status object; its logs are there when they were asked for, and null when not."""
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
    """fal's stream: an event for each change, the last one says COMPLETED; comments in between.

    Each event has the lines that no earlier one had: JavaScript's client adds them up. The stream
    ends early where there is no more to learn here: who follows it asks for the status then.
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
                # What was news to a request is not always news to whom its status is shown.
                if event != said:
                    yield event
                    said, spoke_s = event, loop.time()
            elif loop.time() - spoke_s >= KEEP_ALIVE_S:
                yield _COMMENT
                spoke_s = loop.time()
    except Refusal:  # without Redis, or under a key that was revoked
        return


def _after(lines: Sequence[Any], told: Sequence[Any]) -> Sequence[Any]:
    """The lines behind the last one that was told; only the newest are kept, so it may be gone."""
    for place in range(len(lines), 0, -1):
        if told and lines[place - 1] == told[-1]:
            return lines[place:]
    return lines
