"""Where a caller is, and what its headers say."""

from typing import Any

from litestar import Request


def address_of(request: Request[Any, Any, Any]) -> str:
    """A caller's address, as far as the server knows; "" where it does not."""
    return request.client.host if request.client else ""


def fields_of(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Its headers by lower-case name; several lines of one name are one list (RFC 9110 5.3)."""
    fields: dict[str, list[str]] = {}
    for name, value in request.headers.multi_items():
        fields.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(values) for name, values in fields.items()}
