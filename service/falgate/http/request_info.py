"""Request metadata: client address, content type, headers, and the key that was identified."""

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection

from falgate.accounts.apikey import KeyRecord
from falgate.http.request_errors import TypeUnclear

KEY, REFUSAL = "falgate_key", "falgate_refusal"
"""Names in a request's state of the identified key and of the refusal, for the log."""


def noting(request: Request[Any, Any, Any]) -> Callable[[KeyRecord], None]:
    """Return a callback that stores the identified key in the request's state, for the log."""
    state = request.scope["state"]
    return lambda key: state.update({KEY: key})


def address_of(request: Request[Any, Any, Any]) -> str:
    """Return the client's address, or "" if the server does not know it."""
    return request.client.host if request.client else ""


def type_of(request: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """Return the Content-Type of a request's body, or None.

    Raises:
        TypeUnclear: There are several.
    """
    types = request.headers.getall("content-type", [])
    if len(types) > 1 or "," in "".join(types).partition(";")[0]:
        raise TypeUnclear(", ".join(types))
    return types[0] if types else None


def fields_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined by commas (RFC 9110 5.3)."""
    fields: dict[str, list[str]] = {}
    for name, value in request.headers.multi_items():
        fields.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in fields.items()}
