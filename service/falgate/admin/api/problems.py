"""Errors of the admin API, as RFC 9457 problem details."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException
from litestar.openapi import ResponseSpec
from litestar.types import ExceptionHandlersMap
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from falgate.accounts.directory import NAME, NAME_WORDS
from falgate.core.bounds import PROBLEMS_KEPT_MAX
from falgate.core.errors import InputRejected, Refusal
from falgate.core.money import USD
from falgate.core.problems import Problem, Unauthorized

PREFIX = "/admin/v1"
MEDIA_TYPE = "application/problem+json"


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a field of a request to a model, in fal's words."""

    loc: Annotated[list[str | int], Meta(examples=[["body", "prompt"]])]
    msg: str
    type: str


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong and how to fix it."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    error_type: Annotated[str, Meta(description="fal's word for a refusal")] | UnsetType = UNSET
    errors: (
        Annotated[list[FieldProblem], Meta(description="Of a request to a model")] | UnsetType
    ) = UNSET


class AdminRequest(Request[Any, Any, Any]):
    """A request whose body may be malformed in any way."""

    async def json(self) -> Any:
        """Return the decoded body."""
        try:
            return await super().json()
        except (RecursionError, UnicodeDecodeError):
            raise ClientException("The body is not valid JSON") from None


_MEANINGS = {
    400: "The request is invalid; see the detail",
    401: "The operator's key is missing, wrong or not valid any more",
    403: "The admin API is closed, the role may not do this, or an app's key was sent",
    404: "Not found",
    409: "The request conflicts with the current state",
    413: "The body is too large",
    402: "A budget cannot pay for it, or purchases are stopped",
    410: "The model has ended",
    422: "The model does not take the request, or has no price for it",
    429: "A limit is reached; `Retry-After` says when to try again",
    500: "fal refuses this gateway's own account",
    504: "Only cached pictures were asked for, and they are not all there",
    503: "Redis is unavailable; nothing was changed",
}
_PATTERNS = {f"^{NAME.pattern}$": NAME_WORDS, USD: "give US dollars as a decimal, such as 12.50"}
_ALWAYS = (400, 401, 403, 413, 503)


def refusals(*more: int) -> dict[int, ResponseSpec]:
    """Return the error responses of a route: those common to all, and `more`."""
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
    """Build an error response."""
    body = ProblemBody(title=title or HTTPStatus(status).phrase, status=status, detail=detail)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _problem(_: Request[Any, Any, Any], error: Problem) -> Response[ProblemBody]:
    headers = {"WWW-Authenticate": "Key"} if isinstance(error, Unauthorized) else None
    return problem(error.status, str(error), title=error.title, headers=headers)


def _refusal(_: Request[Any, Any, Any], refusal: Refusal) -> Response[ProblemBody]:
    body = ProblemBody(
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        detail=str(refusal),
        error_type=refusal.error_type or UNSET,
    )
    if isinstance(refusal, InputRejected):
        errors = fields_of(refusal.issues)
        words = "; ".join(f"{'.'.join(map(str, each.loc[1:]))}: {each.msg}" for each in errors)
        body = replace(body, detail=words, errors=errors)
    return Response(
        body, status_code=refusal.status, media_type=MEDIA_TYPE, headers=refusal.headers()
    )


def fields_of(issues: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """Return fal's list of problems without the input, which may be a prompt."""
    return [
        FieldProblem(loc=list(each["loc"]), msg=each["msg"], type=each["type"])
        for each in issues[:PROBLEMS_KEPT_MAX]
        if {"loc", "msg", "type"} <= each.keys()
    ]


def refuse_request(_: Request[Any, Any, Any], error: HTTPException) -> Response[ProblemBody]:
    """Handle what the framework refuses: an argument, a body, a path or a method."""
    return problem(error.status_code, words(error), headers=error.headers)


def words(error: HTTPException) -> str:
    """Return the framework's complaints about each argument, without the URL that it quotes."""
    told = error.extra if isinstance(error.extra, list) else []
    each = [
        f"{one.get('key', 'body')}: {_plain(one['message'])}" for one in told if "message" in one
    ]
    return "; ".join(each) or error.detail


def _plain(message: str) -> str:
    """A complaint of the reader's, in words where it names a pattern that people do not read."""
    _, matching, pattern = message.partition(" matching regex ")
    return _PATTERNS.get(pattern[1:-1], message) if matching else message


HANDLERS: ExceptionHandlersMap = {
    Problem: _problem,
    Refusal: _refusal,
    HTTPException: refuse_request,
}
