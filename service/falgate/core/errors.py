"""Every refusal: its status, its body in fal's shapes, and the headers that tame retries.

fal's clients retry by status: 429, 502, 503 and 504 are sent again, 402, 403, 404, 413 and 422 are
not. A 504 whose `X-Fal-Request-Timeout-Type` is `user` is not sent again either.
"""

from collections.abc import Mapping
from typing import Any

from falgate.core.money import Micros, dollars
from falgate.core.printable import quoted


class Refusal(Exception):
    """A request that gets an answer other than pictures.

    Attributes:
        status: HTTP status.
        error_type: fal's machine-readable word, also in `X-Fal-Error-Type`; None for platform
            errors, whose body is a bare detail.
        charged: What the caller's budgets paid for it all the same, micro-USD.
    """

    status: int = 500
    error_type: str | None = None
    charged: Micros = 0

    def body(self) -> Any:
        """The JSON body: fal's flat shape, unless a subclass knows better."""
        flat = {"detail": str(self)}
        return flat if self.error_type is None else {**flat, "error_type": self.error_type}

    def headers(self) -> dict[str, str]:
        """What goes with it, apart from the request id that every reply has."""
        named = {} if self.error_type is None else {"X-Fal-Error-Type": self.error_type}
        return {**named, "X-Falgate-Cost-Usd": dollars(self.charged)} if self.charged else named


class KeyUnknown(Refusal):
    """No key, not a key, or a key that nobody has: one answer, so that nothing can be learnt."""

    status = 401

    def __init__(self) -> None:
        super().__init__("No user found for Key ID and Secret")


class KeyMalformed(Refusal):
    """The Authorization header is not of the form that fal's clients send."""

    status = 401

    def __init__(self) -> None:
        super().__init__("Invalid Key Authorization header format. Expected 'Key fg_...'.")


class KeyRefused(Refusal):
    """The key is known, and may not be used: disabled, revoked, expired, or of nobody any more."""

    status = 403

    def __init__(self, why: str) -> None:
        super().__init__(f"This key is {why}. Ask whoever runs falgate for another one.")


class NotAllowed(Refusal):
    """The key may not do this: its model, its arguments or its address are not among its own."""

    status = 403


class TooMany(Refusal):
    """A limit on pace has no room. Nothing was held or bought.

    Attributes:
        retry_after_s: When there may be room, seconds.
        limit: Whose limit and which, "team:web generations_at_once"; "" where it is none of these.
    """

    status = 429
    error_type = "rate_limit_exceeded"

    def __init__(self, why: str, retry_after_s: int, limit: str = "") -> None:
        super().__init__(why)
        self.retry_after_s, self.limit = retry_after_s, limit

    def headers(self) -> dict[str, str]:
        """Says when to try again."""
        return {**super().headers(), "Retry-After": str(self.retry_after_s)}


class BudgetExhausted(Refusal):
    """A budget of the chain has no room for this purchase. Nothing was held or bought.

    Attributes:
        remaining: What that budget has left, micro-USD.
        budget: Whose it is, and `window` of which kind.
    """

    status = 402
    error_type = "budget_exceeded"

    def __init__(
        self,
        budget: str,
        window: str,
        *,
        limit: Micros,
        spent: Micros,
        held: Micros,
        needed: Micros,
        resets: str | None,
    ) -> None:
        until = f"It starts anew at {resets}." if resets else "It does not start anew by itself."
        super().__init__(
            f"The {window} budget of {budget} cannot pay for this: limit ${dollars(limit)}, "
            f"spent ${dollars(spent)}, held ${dollars(held)}, needed ${dollars(needed)}. {until}"
        )
        self.remaining, self.budget, self.window = max(0, limit - spent - held), budget, window

    def headers(self) -> dict[str, str]:
        """Adds what is left of the tightest budget."""
        return {**super().headers(), "X-Falgate-Budget-Remaining-Usd": dollars(self.remaining)}


class BuyingStopped(Refusal):
    """Nothing is bought until an operator looks: no organisation budget, or the house is full."""

    status = 402
    error_type = "buying_stopped"


class ModelUnknown(Refusal):
    """The path names no model that is served here."""

    status = 404

    def __init__(self, alias: str) -> None:
        super().__init__(f'Application "{quoted(alias)}" not found')


class InputRejected(Refusal):
    """The arguments break the model's schema.

    Attributes:
        issues: Every problem, each in the form of pydantic's error: type, loc, msg, input, ctx.
    """

    status = 422

    def __init__(self, issues: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(issues)} problems with the input")
        self.issues = issues

    def body(self) -> Any:
        """fal's array of problems."""
        return {"detail": self.issues}

    def headers(self) -> dict[str, str]:
        """fal reports zero units for what it refuses before running."""
        return {"x-fal-billable-units": "0", "X-Fal-Needs-Retry": "0"}


class HeaderWrong(Refusal):
    """One of falgate's own headers makes no sense."""

    status = 422
    error_type = "bad_request"


class PriceMissing(Refusal):
    """The model's file has no price for what was asked: refused, never free."""

    status = 422
    error_type = "bad_request"


class UpstreamRefused(Refusal):
    """fal said no, to this input rather than to this gateway: its own answer, passed on.

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
        """As fal gave it."""
        return self.answer

    def headers(self) -> dict[str, str]:
        """As fal gave them."""
        return {**super().headers(), **self.passed}


class UpstreamUnusable(Refusal):
    """fal did not accept this gateway's own credentials or model: the operator has to act.

    Not 502, which JavaScript's client sends four times: a retry would meet the same.
    """

    status = 500
    error_type = "downstream_service_error"

    def headers(self) -> dict[str, str]:
        """Says so."""
        return {**super().headers(), "X-Fal-Needs-Retry": "0"}


class Unavailable(Refusal):
    """Something that a purchase needs is not there now; nothing was bought for this request.

    Attributes:
        retry_after_s: When to try again, seconds.
    """

    status = 503
    error_type = "internal_error"

    def __init__(self, why: str, retry_after_s: int = 2) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Says when to try again."""
        return {**super().headers(), "Retry-After": str(self.retry_after_s)}


class StoreUnavailable(Unavailable):
    """The store cannot be asked, which is not the same as a picture that is not there."""

    def __init__(self, why: str = "The picture store is not available") -> None:
        super().__init__(why)


class StoreFull(StoreUnavailable):
    """There is no room for more pictures, and none that may be removed to make some."""

    def __init__(self) -> None:
        super().__init__(
            "The picture store is full, and its pictures are too new to be removed: nothing is "
            "bought until there is room again"
        )


class TimedOut(Refusal):
    """The pictures did not come in time. A purchase under way goes on; a repeat will find it."""

    status = 504
    error_type = "request_timeout"

    def headers(self) -> dict[str, str]:
        """Keeps fal's clients from sending the same again at once."""
        return {**super().headers(), "X-Fal-Request-Timeout-Type": "user"}


class NotCached(Refusal):
    """`only-if-cached`, and it is not. Never to be sent again by itself: it would be the same."""

    status = 504
    error_type = "request_timeout"

    def __init__(self) -> None:
        super().__init__("These pictures are not all there, and `only-if-cached` buys none")

    def headers(self) -> dict[str, str]:
        """As for a time-out that is the caller's own wish; RFC 9211 for what the cache did."""
        return {
            **super().headers(),
            "X-Fal-Request-Timeout-Type": "user",
            "Cache-Control": "private, no-store",
            "Cache-Status": "falgate; detail=only-if-cached",
            "X-Falgate-Cache": "miss",
        }
