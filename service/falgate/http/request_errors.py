"""Refusals of malformed requests: bad headers, queries and bodies."""

from falgate.core.errors import Refusal
from falgate.core.printable import quoted


class HeaderTooLong(Refusal):
    """A header that falgate reads exceeds its maximum length."""

    status = 431
    error_type = "bad_request"

    def __init__(self, name: str, most: int) -> None:
        super().__init__(f"{name.title()} is longer than {most} bytes")


class QueryTooLong(Refusal):
    """The query exceeds its maximum length."""

    status = 414
    error_type = "bad_request"

    def __init__(self, most: int) -> None:
        super().__init__(f"The query is longer than {most} bytes")


class BodyEncoded(Refusal):
    """The body is compressed, which is not supported."""

    status = 415
    error_type = "bad_request"

    def __init__(self, coding: str) -> None:
        super().__init__(
            f"Content-Encoding: {quoted(coding)} is not supported; send the body uncompressed"
        )

    def headers(self) -> dict[str, str]:
        """Name the supported coding (RFC 9110 section 15.5.16)."""
        return {**super().headers(), "Accept-Encoding": "identity"}


class TypeUnclear(Refusal):
    """The request has several content types."""

    status = 415
    error_type = "bad_request"

    def __init__(self, types: str) -> None:
        super().__init__(
            f"Content-Type: {quoted(types)} is more than one type; send only application/json"
        )


class BodyTooLarge(Refusal):
    """The body exceeds the size limit; the rest of it was not read."""

    status = 413
    error_type = "bad_request"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is larger than {limit_bytes} bytes")


class BodyTooSlow(Refusal):
    """The body did not arrive in time. Not a 408: fal's Python client would send it ten times."""

    status = 400
    error_type = "bad_request"

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"The request body did not arrive within {limit_s:g} s")

    def headers(self) -> dict[str, str]:
        """Close the connection: the rest of the body may still arrive."""
        return {**super().headers(), "Connection": "close"}


class UploadInParts(Refusal):
    """An upload in several parts, as fal's clients make them of large files."""

    status = 413
    error_type = "bad_request"

    def __init__(self) -> None:
        super().__init__(
            "A file that is uploaded in parts is too large for an input picture; send a smaller one"
        )
