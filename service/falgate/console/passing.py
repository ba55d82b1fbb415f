"""An answer of the admin API, passed on to a browser as it comes: files too long to hold."""

from typing import Any, Protocol

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from falgate.console.api import PREFIX, Refused, detail

_KEPT = frozenset({b"content-type", b"content-disposition"})
_OK = 200


class Asked(Protocol):
    """The admin API, to which an operator's requests are passed on."""

    @property
    def app(self) -> ASGIApp:
        """The API itself."""


class PassedOn:
    """What the admin API answers to a GET of a path, in parts that are never put together.

    A refusal is raised as `Refused` before anything is answered.

    Attributes:
        headers: Of the answer, besides those that say what it is.
    """

    def __init__(self, asked: Asked, path: str, query: str) -> None:
        """Ask for a path behind `PREFIX` and a query, both quoted."""
        self.headers = dict[str, str]()
        self._asked, self._path, self._query = asked, f"{PREFIX}/{path}", query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask and answer. Nothing of the browser's is handed over, such as its cookies."""
        asked: Any = {
            "type": "http",
            "asgi": scope["asgi"],
            "http_version": scope["http_version"],
            "scheme": scope["scheme"],
            "server": scope["server"],
            "client": scope["client"],
            "method": "GET",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": self._query.encode(),
            "headers": [(b"host", b"falgate")],
        }
        own = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        begun = _Begun(send, own)
        await self._asked.app(asked, receive, begun.told)
        if begun.status != _OK:
            raise Refused(begun.status, detail(begun.status, begun.said))


class _Begun:
    """An answer that has begun: one that is no refusal goes on, with headers of the console's."""

    def __init__(self, send: Send, own: list[tuple[bytes, bytes]]) -> None:
        self.status, self.said = 0, b""
        self._send, self._own = send, own

    async def told(self, message: Message) -> None:
        """Pass a message on, or keep what a refusal says."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept = [each for each in message["headers"] if each[0].lower() in _KEPT]
            message = {**message, "headers": [*kept, *self._own]}
        elif message["type"] == "http.response.body" and self.status != _OK:
            self.said += message.get("body", b"")
        if self.status == _OK:
            await self._send(message)
