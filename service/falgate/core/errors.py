"""Errors that callers get: status, body in fal's shapes, and headers that control retries.

fal's clients retry by status: 429, 502, 503 and 504 are retried; 402, 403, 404, 413 and 422 are
not. A 504 with `X-Fal-Request-Timeout-Type: user` is not retried either.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from falgate.core.money import Micros, dollars
from falgate.core.printable import quoted


class Refusal(Exception):
    """An error response.

    Attributes:
        status: HTTP status.
        error_type: fal's machine-readable code, also sent as `X-Fal-Error-Type`. None for platform
            errors, whose body has only `detail`.
        more_headers: Headers that all errors of a class have.
        charged: What the caller's budgets were charged in spite of the error, in micro-USD.
        job: Id of the job that the request waited for, or "".
        leads: Whether that was begun for it.
    """

    status: int = 500
    error_type: str | None = None
    more_headers: ClassVar[Mapping[str, str]] = {}
    charged: Micros = 0
    job: str = ""
    leads: bool = False

    def body(self) -> Any:
        """Return the JSON body: fal's flat shape, unless a subclass overrides it."""
        flat = {"detail": str(self)}
        return flat if self.error_type is None else {**flat, "error_type": self.error_type}

    def headers(self) -> dict[str, str]:
        """Return the headers of the response, without the request id that every response has."""
        named = {} if self.error_type is None else {"X-Fal-Error-Type": self.error_type}
        cost = {"X-Falgate-Cost-Usd": dollars(self.charged)} if self.charged else {}
        return {**named, **cost, **self.more_headers}


class KeyUnknown(Refusal):
    """The key is missing, malformed or unknown; one answer for all three, to reveal nothing."""

    status = 401

    def __init__(self) -> None:
        super().__init__("No user found for Key ID and Secret")


class KeyMalformed(Refusal):
    """The Authorization header does not have the form that fal's clients send."""

    status = 401

    def __init__(self) -> None:
        super().__init__("Invalid Key Authorization header format. Expected 'Key fg_...'.")


class KeyRefused(Refusal):
    """The key is disabled, revoked or expired, or its team or app was removed."""

    status = 403

    def __init__(self, why: str) -> None:
        super().__init__(f"This key is {why}. Ask whoever runs falgate for another one.")


class NotAllowed(Refusal):
    """The key does not permit this model, these arguments or this client address."""

    status = 403


class TooMany(Refusal):
    """A rate or concurrency limit is reached; nothing was held or bought.

    Attributes:
        retry_after_s: When to try again, in seconds.
        limit: Account and limit, such as "team:web generations_at_once"; "" if it is not an
            account's limit.
    """

    status = 429
    error_type = "rate_limit_exceeded"

    def __init__(self, why: str, retry_after_s: int, limit: str = "") -> None:
        super().__init__(why)
        self.retry_after_s, self.limit = retry_after_s, limit

    def headers(self) -> dict[str, str]:
        """Add `Retry-After`."""
        return {**super().headers(), "Retry-After": str(self.retry_after_s)}


class ModelUnknown(Refusal):
    """The path names no model that falgate serves."""

    status = 404

    def __init__(self, alias: str) -> None:
        super().__init__(f'Application "{quoted(alias)}" not found')


class ModelRetired(Refusal):
    """The model has ended, and the cache cannot answer this request; nothing was held or bought.

    No client repeats a 410 by itself: the answer would be the same.
    """

    status = 410
    error_type = "model_retired"
    more_headers: ClassVar = {"x-fal-billable-units": "0", "X-Fal-Needs-Retry": "0"}

    def __init__(self, endpoint: str, successor: str) -> None:
        instead = f"; its successor is {successor}" if successor else ""
        super().__init__(
            f"{endpoint} has ended, and only its cached pictures are still served{instead}"
        )


class InputRejected(Refusal):
    """The arguments violate the model's schema.

    Attributes:
        issues: Every problem, in the form of pydantic's errors: type, loc, msg, input, ctx.
    """

    status = 422
    # As fal does for input that it refuses before running.
    more_headers: ClassVar = {"x-fal-billable-units": "0", "X-Fal-Needs-Retry": "0"}

    def __init__(self, issues: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(issues)} problems with the input")
        self.issues = issues

    def body(self) -> Any:
        """Return fal's list of problems."""
        return {"detail": self.issues}


class HeaderWrong(Refusal):
    """One of falgate's own request headers is invalid."""

    status = 422
    error_type = "bad_request"


class PriceMissing(Refusal):
    """The model's file has no price for these arguments; they are refused, never free."""

    status = 422
    error_type = "bad_request"


class UpstreamRefused(Refusal):
    """fal refused the input, not this gateway: its answer is passed on.

    Attributes:
        answer: fal's JSON body.
        passed: fal's headers that concern the caller.
    """

    def __init__(self, status: int, answer: Any, passed: Mapping[str, str]) -> None:
        super().__init__(f"fal answered {status}")
        self.status = status
        self.answer = answer
        self.passed = dict(passed)

    def body(self) -> Any:
        """Return fal's body unchanged."""
        return self.answer

    def headers(self) -> dict[str, str]:
        """Add fal's headers."""
        return {**super().headers(), **self.passed}


class UpstreamUnusable(Refusal):
    """fal refused this gateway's own credentials or model, so an operator has to act.

    Not a 502: fal's JavaScript client would send it four times, and each would fail the same way.
    """

    status = 500
    error_type = "downstream_service_error"
    more_headers: ClassVar = {"X-Fal-Needs-Retry": "0"}


class Unavailable(Refusal):
    """Something that a purchase needs is down; nothing was bought for this request.

    Attributes:
        retry_after_s: When to try again, in seconds.
    """

    status = 503
    error_type = "internal_error"

    def __init__(self, why: str, retry_after_s: int = 2) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Add `Retry-After`."""
        return {**super().headers(), "Retry-After": str(self.retry_after_s)}


class StoreUnavailable(Unavailable):
    """The picture store does not answer; this says nothing about whether a picture is in it."""

    def __init__(self, why: str = "The picture store is not available") -> None:
        super().__init__(why)


class StoreFull(StoreUnavailable):
    """The picture store is full, and no picture in it may be evicted yet."""

    def __init__(self) -> None:
        super().__init__(
            "The picture store is full, and its pictures are too new to be removed: no purchases "
            "until there is room again"
        )


class TimedOut(Refusal):
    """The pictures did not arrive in time. A purchase under way continues; a retry will find it."""

    status = 504
    error_type = "request_timeout"
    more_headers: ClassVar = {"X-Fal-Request-Timeout-Type": "user"}


class NotCached(Refusal):
    """The request says `only-if-cached`, and its pictures are not all cached.

    fal's clients must not retry it by themselves: the answer would be the same.
    """

    status = 504
    error_type = "request_timeout"
    # The caller's own time-out, and the cache status by RFC 9211.
    more_headers: ClassVar = {
        "X-Fal-Request-Timeout-Type": "user",
        "Cache-Control": "private, no-store",
        "Cache-Status": "falgate; detail=only-if-cached",
        "X-Falgate-Cache": "miss",
    }

    def __init__(self) -> None:
        super().__init__("Not all pictures are cached, and `only-if-cached` forbids a purchase")
