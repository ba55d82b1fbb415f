"""Every refusal of the administration's API, as a problem of RFC 9457."""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException
from litestar.openapi import ResponseSpec
from litestar.types import ExceptionHandlersMap

from falgate.core.errors import Refusal
from falgate.core.problems import Problem

PREFIX = "/admin/v1"
MEDIA_TYPE = "application/problem+json"


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, and what to do about it."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


class AdminRequest(Request[Any, Any, Any]):
    """A request whose body may be anything at all."""

    async def json(self) -> Any:
        """The body, decoded."""
        try:
            return await super().json()
        except (RecursionError, UnicodeDecodeError):
            raise ClientException("The body is no JSON that can be read") from None


class Unauthorized(Problem):
    """No admin key, or another one."""

    status = 401
    title = "Unauthorized"


class Forbidden(Problem):
    """Whatever key it is, it opens nothing here."""

    status = 403
    title = "Forbidden"


_MEANINGS = {
    400: "It makes no sense: the detail says what",
    401: "No admin key, or another one",
    403: "The administration is closed, or this is an app's key",
    404: "There is no such thing",
    409: "It does not fit what is there",
    413: "The body is too large",
    503: "Redis is not there; nothing has changed",
}
_ALWAYS = (400, 401, 403, 413, 503)


def refusals(*more: int) -> dict[int, ResponseSpec]:
    """What a route may answer beside its success: what all of them may, and these statuses."""
    return {
        status: ResponseSpec(
            data_container=ProblemBody,
            description=_MEANINGS[status],
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status in sorted({*_ALWAYS, *more})
    }


def problem(
    status: int, detail: str, *, title: str = "", headers: dict[str, str] | None = None
) -> Response[ProblemBody]:
    """An answer that says no."""
    body = ProblemBody(title=title or HTTPStatus(status).phrase, status=status, detail=detail)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _problem(_: Request[Any, Any, Any], error: Problem) -> Response[ProblemBody]:
    headers = {"WWW-Authenticate": "Key"} if isinstance(error, Unauthorized) else None
    return problem(error.status, str(error), title=error.title, headers=headers)


def _refusal(_: Request[Any, Any, Any], refusal: Refusal) -> Response[ProblemBody]:
    return problem(refusal.status, str(refusal), headers=refusal.headers())


def refuse_request(_: Request[Any, Any, Any], error: HTTPException) -> Response[ProblemBody]:
    """What the framework refuses: an argument, a body, a path, a method."""
    return problem(error.status_code, words(error), headers=error.headers)


def words(error: HTTPException) -> str:
    """What the framework says of each argument: its own words quote the whole URL."""
    told = error.extra if isinstance(error.extra, list) else []
    each = [f"{one.get('key', 'body')}: {one['message']}" for one in told if "message" in one]
    return "; ".join(each) or error.detail


HANDLERS: ExceptionHandlersMap = {
    Problem: _problem,
    Refusal: _refusal,
    HTTPException: refuse_request,
}
