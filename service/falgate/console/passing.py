"""An answer of the admin API, passed on to a browser as it comes: files too long to hold."""

from typing import Any, Protocol

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from falgate.console.api import PREFIX, refused

_KEPT = frozenset({b"content-type", b"content-disposition", b"etag"})
_HANDED_OVER = frozenset({b"if-none-match"})
_OK, _UNCHANGED = 200, 304


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

    def __init__(self, asked: Asked, path: str, query: str = "") -> None:
        """Ask for a path behind `PREFIX` and a query, both quoted."""
        self.headers = dict[str, str]()
        self._asked, self._path, self._query = asked, f"{PREFIX}/{path}", query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask and answer. Of the browser's headers, only what it has already is handed over."""
        handed_over = [each for each in scope["headers"] if each[0] in _HANDED_OVER]
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
            "headers": [(b"host", b"falgate"), *handed_over],
        }
        own = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        begun = _Begun(send, own)
        await self._asked.app(asked, receive, begun.told)
        if not begun.goes_on:
            raise refused(begun.status, begun.said)


class _Begun:
    """An answer that has begun: one that is no refusal goes on, with headers of the console's."""

    def __init__(self, send: Send, own: list[tuple[bytes, bytes]]) -> None:
        self.status, self.said = 0, b""
        self._send, self._own = send, own

    @property
    def goes_on(self) -> bool:
        """Whether it is no refusal."""
        return self.status in {_OK, _UNCHANGED}

    async def told(self, message: Message) -> None:
        """Pass a message on, or keep what a refusal says."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept = [each for each in message["headers"] if each[0].lower() in _KEPT]
            message = {**message, "headers": [*kept, *self._own]}
        elif message["type"] == "http.response.body" and not self.goes_on:
            self.said += message.get("body", b"")
        if self.goes_on:
            await self._send(message)
