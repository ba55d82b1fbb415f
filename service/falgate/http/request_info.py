"""Where a caller is, what its headers say within their bounds, and who it turned out to be."""

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection

from falgate.accounts.apikey import KeyRecord
from falgate.http.request_errors import TypeUnclear

KEY, REFUSAL = "falgate_key", "falgate_refusal"
"""Where a request's state holds whose key it presented, and why it is refused."""


def noting(request: Request[Any, Any, Any]) -> Callable[[KeyRecord], None]:
    """Notes whose request it is, for the log line of a refusal."""
    state = request.scope["state"]
    return lambda key: state.update({KEY: key})


def address_of(request: Request[Any, Any, Any]) -> str:
    """A caller's address, as far as the server knows; "" where it does not."""
    return request.client.host if request.client else ""


def type_of(request: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The type of a request's body, if it says one.

    Raises:
        TypeUnclear: It says several.
    """
    types = request.headers.getall("content-type", [])
    if len(types) > 1 or "," in "".join(types).partition(";")[0]:
        raise TypeUnclear(", ".join(types))
    return types[0] if types else None


def fields_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Its headers by lower-case name; several lines of one name are one list (RFC 9110 5.3)."""
    fields: dict[str, list[str]] = {}
    for name, value in request.headers.multi_items():
        fields.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in fields.items()}
