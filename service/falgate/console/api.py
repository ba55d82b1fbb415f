"""The console's client of the admin API, in this process, on behalf of who is signed in."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from falgate.accounts.operator import SCOPE, Operator
from falgate.core.bounds import ADMIN_PART_MAX
from falgate.http.request_info import REQUEST_ID

PREFIX = "/admin/v1"
_ACTOR = "console"
"""Behind who acts, in the audit log."""
_DOTS = {".": "%2E", "..": "%2E%2E"}


class Refused(Exception):
    """The admin API refused something; the message is for people.

    Attributes:
        status: HTTP status.
        errors: What is wrong with each field of a request to a model, with its `loc` and `msg`.
    """

    def __init__(self, status: int, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = errors


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

    async def buy(self, body: Any, call_id: str) -> Any:
        """Buy in the playground; a repeat with the same id and body gets the same request."""
        named = {"Idempotency-Key": call_id}
        answer = await self._answered("POST", ("playground",), {}, body, named)
        return msgspec.json.decode(answer.content)

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
        self,
        method: str,
        path: tuple[str, ...],
        query: dict[str, Any],
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        if any(len(part) > ADMIN_PART_MAX for part in path):
            raise Refused(400, f"This name is too long; it has at most {ADMIN_PART_MAX} characters")
        parts = (_DOTS.get(part) or quote(part, safe=":") for part in path)
        params = {name: value for name, value in query.items() if value not in {None, ""}}
        content = None if body is None else msgspec.json.encode(body)
        answer = await self._client.request(
            method,
            f"{PREFIX}/{'/'.join(parts)}",
            params=params,
            content=content,
            headers=headers,
        )
        if answer.is_success:
            return answer
        raise refused(answer.status_code, answer.content)


def acting(admin: ASGIApp, operator: Operator) -> Any:
    """Return the application as it answers this operator, who needs no key for it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        known: Any = {**scope, SCOPE: operator, "state": {REQUEST_ID: str(uuid4())}}
        await admin(known, receive, send)

    return app


def refused(status: int, said: bytes) -> Refused:
    """Return a refusal, given what the admin API answered."""
    try:
        told = msgspec.json.decode(said, type=_Told)
    except msgspec.DecodeError:
        told = _Told()
    return Refused(status, told.detail or f"falgate answered {status}", told.errors)


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    detail: str = ""
    errors: list[dict[str, Any]] = []
