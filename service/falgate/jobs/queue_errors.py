"""What the queue refuses beside what every route does, in fal's forms for each of its calls."""

from collections.abc import Mapping
from typing import Any, Literal

from falgate.core.errors import Refusal

Call = Literal["status", "result", "cancel"]


class RequestUnknown(Refusal):
    """No such request, or one of another app: one answer, so that nothing can be learnt."""

    status = 404

    def __init__(self, call: Call) -> None:
        super().__init__("Request not found")
        self._call = call

    def body(self) -> Any:
        """The result's routes have a detail, the others a status."""
        return super().body() if self._call == "result" else {"status": "NOT_FOUND"}


class StillRunning(Refusal):
    """The result is not there yet."""

    status = 400

    def __init__(self, urls: Mapping[str, str]) -> None:
        super().__init__("Request is still in progress")
        self._urls = dict(urls)

    def body(self) -> Any:
        """With where to look."""
        return {**super().body(), **self._urls}


class AlreadyCompleted(Refusal):
    """What has ended cannot be taken back."""

    status = 400

    def __init__(self) -> None:
        super().__init__("The request has ended")

    def body(self) -> Any:
        """A status, as fal has it."""
        return {"status": "ALREADY_COMPLETED"}


class KeyReused(Refusal):
    """The idempotency key was sent before with another request. Nothing was bought."""

    status = 422
    error_type = "bad_request"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was sent before with another request: send it with the same one, "
            "or take another key"
        )


class QueueTooLong(Refusal):
    """More requests wait than the caller would stand behind. Nothing was kept."""

    status = 429
    error_type = "queue_too_long"

    def __init__(self, length: int) -> None:
        super().__init__(f"{length} requests wait, which is more than fal_max_queue_length")


class MethodWrong(Refusal):
    """The path is one of the queue's, and has another method."""

    status = 405

    def __init__(self, allowed: str) -> None:
        super().__init__("Method Not Allowed")
        self._allowed = allowed

    def headers(self) -> dict[str, str]:
        """Says which one it has."""
        return {**super().headers(), "Allow": self._allowed}


class PathUnknown(Refusal):
    """A request has no such path."""

    status = 404

    def __init__(self, path: str) -> None:
        super().__init__(f"Path {path} not found")
