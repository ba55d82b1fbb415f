"""The one place where an exception becomes a response."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from falgate.admin.api import problems
from falgate.core.errors import Refusal
from falgate.http.request_info import REFUSAL


def _refuse(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    """Say no the way fal says it."""
    request.scope["state"][REFUSAL] = refusal
    return Response(
        refusal.body(),
        status_code=refusal.status,
        headers=refusal.headers(),
        media_type="application/json",
    )


def _refuse_route(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework refuses: an unknown path, a method that a path does not have."""
    if request.scope["path"].startswith(problems.PREFIX):
        return problems.refuse_request(request, error)
    return Response(
        {"detail": problems.words(error)},
        status_code=error.status_code,
        headers=error.headers,
        media_type="application/json",
    )


def _pass_on(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What nobody foresaw is the edge's: it writes it down, and tells the caller nothing of it."""
    raise error


HANDLERS: ExceptionHandlersMap = {
    Refusal: _refuse,
    HTTPException: _refuse_route,
    Exception: _pass_on,
}
