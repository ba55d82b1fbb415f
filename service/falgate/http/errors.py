"""Exception handlers: the one place where exceptions become responses."""

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from falgate.admin.api import problems
from falgate.core.errors import Refusal
from falgate.http.request_info import REFUSAL


def _refuse(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    """Return a refusal in fal's format."""
    request.scope["state"][REFUSAL] = refusal
    return Response(
        refusal.body(),
        status_code=refusal.status,
        headers=refusal.headers(),
        media_type="application/json",
    )


def _refuse_route(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Handle what the framework refuses: unknown paths and wrong methods."""
    if request.scope["path"].startswith(problems.PREFIX):
        return problems.refuse_request(request, error)
    return Response(
        {"detail": problems.words(error)},
        status_code=error.status_code,
        headers=error.headers,
        media_type="application/json",
    )


def _pass_on(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Re-raise an unexpected error for the edge, which logs it and hides it from the caller."""
    raise error


HANDLERS: ExceptionHandlersMap = {
    Refusal: _refuse,
    HTTPException: _refuse_route,
    Exception: _pass_on,
}
