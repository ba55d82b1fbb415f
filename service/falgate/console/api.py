"""The console's client of the admin API, in this process, on behalf of who is signed in."""

from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from falgate.accounts.operator import SCOPE, Operator

PREFIX = "/admin/v1"
_ACTOR = "console"
"""Behind who acts, in the audit log."""
_DOTS = {".": "%2E", "..": "%2E%2E"}


class Refused(Exception):
    """The admin API refused something; the message is for people.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Api:
    """The admin API as one operator sees it. Each refusal raises `Refused`.

    A path is given in parts, each of which is quoted; what is given by name is the query.

    Attributes:
        app: The API itself, as it answers them.
    """

    def __init__(self, admin: ASGIApp, operator: Operator) -> None:
        """Ask the application `admin` as `operator`."""
        self.app: ASGIApp = acting(admin, operator)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://falgate",
            headers={"X-Falgate-Actor": _ACTOR},
            trust_env=False,
        )

    async def get(self, *path: str, **query: Any) -> Any:
        """Read something."""
        return await self._asked("GET", path, query)

    async def post(self, *path: str, body: Any = None, **query: Any) -> Any:
        """Make something, have something done, or find something by a body."""
        return await self._asked("POST", path, query, body)

    async def ask(self, method: str, *path: str, body: Any = None, **query: Any) -> Any:
        """Change something; None if the answer has no body."""
        return await self._asked(method, path, query, body)

    async def text(self, *path: str, **query: Any) -> str:
        """Read something that is no JSON."""
        return (await self._answered("GET", path, query)).text

    async def _asked(self, method: str, path: tuple[str, ...], query: Any, body: Any = None) -> Any:
        answer = await self._answered(method, path, query, body)
        return msgspec.json.decode(answer.content) if answer.content else None

    async def _answered(
        self, method: str, path: tuple[str, ...], query: dict[str, Any], body: Any = None
    ) -> httpx.Response:
        parts = (_DOTS.get(part) or quote(part, safe=":") for part in path)
        params = {name: value for name, value in query.items() if value not in {None, ""}}
        content = None if body is None else msgspec.json.encode(body)
        answer = await self._client.request(
            method, f"{PREFIX}/{'/'.join(parts)}", params=params, content=content
        )
        if answer.is_success:
            return answer
        raise Refused(answer.status_code, detail(answer.status_code, answer.content))


def acting(admin: ASGIApp, operator: Operator) -> Any:
    """Return the application as it answers this operator, who needs no key for it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        known: Any = {**scope, SCOPE: operator}
        await admin(known, receive, send)

    return app


def detail(status: int, said: bytes) -> str:
    """Return what a refusal says."""
    try:
        return str(msgspec.json.decode(said)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"falgate answered {status}"
