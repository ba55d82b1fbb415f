"""A server that always gives the same answer: `python -m bench.constant KIND PORT FILE`.

KIND is `falgate` (an ASGI function on falgate's own server), `uvicorn` (the same function) or
`litestar` (a Litestar route on falgate's own server). FILE has the headers and the body, as JSON.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop
from litestar import Litestar, post
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from bench.work import MODEL
from falgate.http.server import Connections, Limits, Listener

_BACKLOG = 2_048


class Constant(msgspec.Struct):
    """The answer: its headers and its body."""

    headers: dict[str, str]
    body: str


def bare(constant: Constant) -> ASGIApp:
    """An ASGI function that reads the request and answers."""
    headers = [(name.encode(), value.encode()) for name, value in constant.headers.items()]
    start: Any = {"type": "http.response.start", "status": 200, "headers": headers}
    body: Any = {"type": "http.response.body", "body": constant.body.encode(), "more_body": False}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        message: Any = await receive()
        while message.get("more_body"):
            message = await receive()
        await send(start)
        await send(body)

    return answer


def routed(constant: Constant) -> Litestar:
    """The same as a route that parses the body into a struct, as an API does."""

    class Wish(msgspec.Struct):
        prompt: str
        quality: str

    answer = msgspec.json.decode(constant.body)
    others = {"content-length", "content-type"}
    headers = {name: value for name, value in constant.headers.items() if name not in others}

    @post(MODEL, status_code=200, response_headers=headers)
    async def wish(data: Wish) -> dict[str, Any]:
        assert data.prompt
        return dict(answer)

    return Litestar([wish], openapi_config=None)


async def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serve by falgate's own server until the process is ended."""
    connections = Connections(app, Limits())
    Listener(connections, listening)
    await asyncio.Event().wait()


def main() -> None:
    """Serve."""
    kind, port, file = sys.argv[1:]
    constant = msgspec.json.decode(Path(file).read_bytes(), type=Constant)
    if kind == "uvicorn":
        config: dict[str, Any] = {"loop": "uvloop", "http": "httptools", "log_level": "warning"}
        app: Any = bare(constant)
        uvicorn.run(app, port=int(port), access_log=False, backlog=_BACKLOG, **config)
        return
    listening = socket.create_server(("127.0.0.1", int(port)), backlog=_BACKLOG)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        served: Any = routed(constant) if kind == "litestar" else bare(constant)
        runner.run(serve(served, listening))


if __name__ == "__main__":
    main()
