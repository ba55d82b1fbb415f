"""Where a caller is."""

from typing import Any

from litestar import Request


def address_of(request: Request[Any, Any, Any]) -> str:
    """A caller's address, as far as the server knows; "" where it does not."""
    return request.client.host if request.client else ""
