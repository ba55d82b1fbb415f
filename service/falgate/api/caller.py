"""Where a caller is, and what its headers say: each within the bounds that the edge has set."""

from typing import Any

from litestar import Request

from falgate.core.request_errors import TypeUnclear


def address_of(request: Request[Any, Any, Any]) -> str:
    """A caller's address, as far as the server knows; "" where it does not."""
    return request.client.host if request.client else ""


def type_of(request: Request[Any, Any, Any]) -> str | None:
    """The type of its body, if it says one.

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
