"""What is refused by a request as such: by its head, or by how its body comes."""

from falgate.core.errors import Refusal
from falgate.core.printable import quoted


class HeaderTooLong(Refusal):
    """A header that is read is longer than it may be."""

    status = 431
    error_type = "bad_request"

    def __init__(self, name: str, most: int) -> None:
        super().__init__(f"{name.title()} is longer than {most} bytes")


class QueryTooLong(Refusal):
    """The query is longer than it may be."""

    status = 414
    error_type = "bad_request"

    def __init__(self, most: int) -> None:
        super().__init__(f"The query is longer than {most} bytes")


class BodyEncoded(Refusal):
    """The body is compressed, which is read nowhere."""

    status = 415
    error_type = "bad_request"

    def __init__(self, coding: str) -> None:
        super().__init__(
            f"A body with Content-Encoding: {quoted(coding)} is not read; send it as it is"
        )

    def headers(self) -> dict[str, str]:
        """Says what is read instead (RFC 9110 section 15.5.16)."""
        return {**super().headers(), "Accept-Encoding": "identity"}


class TypeUnclear(Refusal):
    """The body has several types."""

    status = 415
    error_type = "bad_request"

    def __init__(self, types: str) -> None:
        super().__init__(
            f"Content-Type: {quoted(types)} is more than one type; send one, application/json"
        )


class BodyTooLarge(Refusal):
    """The body is over the limit; it was not read to its end."""

    status = 413
    error_type = "bad_request"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is larger than {limit_bytes} bytes")


class BodyTooSlow(Refusal):
    """The body did not arrive in time. Not 408: fal's Python client would send it ten times."""

    status = 400
    error_type = "bad_request"

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"The request body did not arrive within {limit_s:g} s")

    def headers(self) -> dict[str, str]:
        """The connection is of no more use: the rest of the body may still be on its way."""
        return {**super().headers(), "Connection": "close"}
