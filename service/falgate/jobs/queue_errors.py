"""Errors of the queue's routes only, each in the form that fal gives to that route."""

from collections.abc import Mapping
from typing import Any, Literal

from falgate.core.errors import Refusal

Call = Literal["status", "result", "cancel"]


class RequestUnknown(Refusal):
    """The request does not exist or is another app's; one answer for both, to reveal nothing."""

    status = 404

    def __init__(self, call: Call) -> None:
        super().__init__("Request not found")
        self._call = call

    def body(self) -> Any:
        """Return a detail on the result's routes, a status on the others."""
        return super().body() if self._call == "result" else {"status": "NOT_FOUND"}


class StillRunning(Refusal):
    """The result is not there yet."""

    status = 400

    def __init__(self, urls: Mapping[str, str]) -> None:
        super().__init__("Request is still in progress")
        self._urls = dict(urls)

    def body(self) -> Any:
        """Add the URLs at which to look."""
        return {**super().body(), **self._urls}


class AlreadyCompleted(Refusal):
    """A request that has ended cannot be cancelled."""

    status = 400

    def __init__(self) -> None:
        super().__init__("The request has already completed")

    def body(self) -> Any:
        """Return a status, as fal does."""
        return {"status": "ALREADY_COMPLETED"}


class KeyReused(Refusal):
    """The idempotency key was used for another request before; nothing was bought."""

    status = 422
    error_type = "bad_request"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was already used for a different request; repeat that request "
            "unchanged, or use another key"
        )


class QueueTooLong(Refusal):
    """More requests wait than the caller accepts; nothing was stored."""

    status = 429
    error_type = "queue_too_long"

    def __init__(self, length: int) -> None:
        super().__init__(f"{length} requests are waiting, more than fal_max_queue_length allows")


class MethodWrong(Refusal):
    """The path is one of the queue's, but has another method."""

    status = 405

    def __init__(self, allowed: str) -> None:
        super().__init__("Method Not Allowed")
        self._allowed = allowed

    def headers(self) -> dict[str, str]:
        """Add the method that it has."""
        return {**super().headers(), "Allow": self._allowed}


class PathUnknown(Refusal):
    """A request has no such path."""

    status = 404

    def __init__(self, path: str) -> None:
        super().__init__(f"Path {path} not found")
