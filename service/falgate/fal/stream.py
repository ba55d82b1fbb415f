"""fal's status stream: one connection instead of many polls while a request is in progress."""

from collections.abc import Mapping
from typing import Any

from falgate.fal.connections import Sender
from falgate.fal.http import ExchangeFailed, answering, decoded
from falgate.fal.progress import ProgressReporter

_SILENCE_S = 45.0
"""fal sends a comment every 15 s; if three are missing, the connection is dead."""
_STREAM_S_MAX = 60.0
"""A live stream may never send the final event, so polling resumes after this time."""
_LINE_BYTES_MAX = 1024 * 1024
_OK = 200


async def completed(
    sender: Sender, url: str, headers: Mapping[str, str], reporter: ProgressReporter
) -> dict[str, Any] | None:
    """Report progress until the COMPLETED event, and return that one.

    None if the stream ends or times out without it.
    """
    asked = {**headers, "Accept": "text/event-stream"}
    try:
        async with answering(
            sender, "GET", url, headers=asked, deadline_s=_STREAM_S_MAX, silence_s=_SILENCE_S
        ) as answer:
            if answer.status != _OK:
                return None
            pending = b""
            async for chunk in answer.pieces:
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    status = _event(line)
                    if status.get("status") == "COMPLETED":
                        return status
                    await reporter.tell(status)
                if len(pending) > _LINE_BYTES_MAX:
                    return None
    except ExchangeFailed:
        return None
    return None


def _event(line: bytes) -> dict[str, Any]:
    field, _, value = line.partition(b":")
    if field != b"data":
        return {}
    event = decoded(value)
    return event if isinstance(event, dict) else {}
