"""The console's cookies: what they are called, and which of their flags the connection decides."""

from typing import Any, Literal

from litestar import Request
from litestar.datastructures import Cookie

_HOST = "__Host-"
"""A browser takes a cookie with this prefix only over https, from the host itself, for all paths.
Without it, a page over http or on a neighbour's host could put a cookie of its own in its place."""


def cookie_name(request: Request[Any, Any, Any], name: str) -> str:
    """Return what a cookie is called on the connection that a request came by."""
    return f"{_HOST}{name}" if _is_secure(request) else name


def sent_cookie(request: Request[Any, Any, Any], name: str) -> str:
    """Return the value that a browser sent, or ""; over https, a plain name does not count."""
    return request.cookies.get(cookie_name(request, name), "")


def made_cookie(
    request: Request[Any, Any, Any],
    name: str,
    value: str,
    *,
    max_age_s: int,
    path: str,
    samesite: Literal["lax", "strict"],
) -> Cookie:
    """Return a cookie to set; with no value and no time, one that removes it.

    Args:
        request: What is answered.
        name: Without a prefix.
        value: Of the cookie.
        max_age_s: How long the browser keeps it.
        path: Where it is sent to; over https the prefix demands all paths of the host.
        samesite: Whether other sites' links bring it along.
    """
    is_secure = _is_secure(request)
    return Cookie(
        cookie_name(request, name),
        value=value,
        max_age=max_age_s,
        path="/" if is_secure else path,
        httponly=True,
        samesite=samesite,
        secure=is_secure,
    )


def _is_secure(request: Request[Any, Any, Any]) -> bool:
    return request.scope["scheme"] == "https"
