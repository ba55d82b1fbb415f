"""A stub of an upstream that answers at once: `python -m bench.stub PORT PICTURE_BYTES`.

It speaks fal's queue protocol below /queue, fal's synchronous call and what OpenAI's clients call,
for gateways that speak only that. Every picture is a PNG of about that size, and differs from the
others in one comment.
"""

import asyncio
import json
import os
import re
import socket
import sys
import zlib
from io import BytesIO
from itertools import count
from typing import cast

import httptools
import uvloop
from PIL import Image

from bench.work import MODEL

_SIDE_PX = 1_024
_IHDR_END = 33
_BACKLOG = 2_048
_REQUEST = re.compile(rb"/queue/.+/requests/([0-9a-f-]+)(/status)?(\?.*)?")


def picture(size_bytes: int) -> bytes:
    """A PNG of 1024 x 1024 pixels, so many of them noise that it has about that size."""
    noise = os.urandom(size_bytes)
    pixels = noise + bytes(3 * _SIDE_PX * _SIDE_PX - len(noise))
    file = BytesIO()
    Image.frombytes("RGB", (_SIDE_PX, _SIDE_PX), pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


class Upstream:
    """What is answered, by path."""

    def __init__(self, url: str, picture_bytes: int) -> None:
        self._url = url
        self._ids = count(1)
        whole = picture(picture_bytes)
        self._before, self._after = whole[:_IHDR_END], whole[_IHDR_END:]

    def answer(self, path: bytes) -> tuple[bytes, ...]:
        """An answer's head and parts of its body."""
        if path.startswith(b"/files/"):
            return self._picture(path)
        if found := _REQUEST.fullmatch(path):
            return self._look(found[1].decode(), status=bool(found[2]))
        number = next(self._ids)
        if path.startswith(b"/queue"):
            request_id = f"00000000-0000-4000-8000-{number:012x}"
            return _json({"status": "IN_QUEUE", "request_id": request_id, "queue_position": 0})
        if path == MODEL.encode():
            return self._result(f"{number:012x}")
        url = f"{self._url}/files/{number:012x}.png"
        if b"chat" in path:
            message = {"role": "assistant", "content": url}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
            kind = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stub"}
            return _json({**kind, "choices": choices, "usage": usage})
        return _json({"created": 1, "data": [{"url": url}]})

    def _look(self, request_id: str, *, status: bool) -> tuple[bytes, ...]:
        if status:
            return _json({"status": "COMPLETED", "metrics": {"inference_time": 0.0}, "logs": None})
        return self._result(request_id)

    def _result(self, request_id: str) -> tuple[bytes, ...]:
        file = {
            "url": f"{self._url}/files/{request_id}.png",
            "content_type": "image/png",
            "file_name": f"{request_id}.png",
            "file_size": None,
            "width": _SIDE_PX,
            "height": _SIDE_PX,
        }
        return _json({"images": [file]})

    def _picture(self, path: bytes) -> tuple[bytes, ...]:
        """The picture, with a comment that only this path has."""
        comment = b"tEXtComment\0" + path
        length, check = len(comment) - 4, zlib.crc32(comment)
        chunk = length.to_bytes(4, "big") + comment + check.to_bytes(4, "big")
        size = len(self._before) + len(chunk) + len(self._after)
        return _head("image/png", size), self._before, chunk, self._after


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._path = b""

    def on_url(self, url: bytes) -> None:
        """Its path, or a part of it."""
        self._path += url

    def on_message_complete(self) -> None:
        """It is complete: answer."""
        self._transport.writelines(self._upstream.answer(self._path))
        if not self._parser.should_keep_alive():
            self._transport.close()


def _json(value: object) -> tuple[bytes, ...]:
    body = json.dumps(value).encode()
    return _head("application/json", len(body)), body


def _head(content_type: str, size: int) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {size}\r\n"
        "x-fal-billable-units: 1.0\r\n\r\n"
    ).encode()


async def serve(port: int, picture_bytes: int) -> None:
    """Serve until the process is ended."""
    upstream = Upstream(f"http://127.0.0.1:{port}", picture_bytes)
    listening = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(upstream), sock=listening)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(*map(int, sys.argv[1:])))
