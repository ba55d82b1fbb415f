"""What fal answered: to a submit, to a look, to the question for a result."""

from typing import Any

import msgspec


class FalAnswer(msgspec.Struct, frozen=True):
    """What fal said when it refused.

    Attributes:
        status: HTTP status.
        body: fal's JSON, or what stands for it.
        headers: Those of fal's headers that concern the caller.
    """

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def error_type(self) -> str | None:
        """fal's machine-readable word, or that of its first problem with the input."""
        body = self.body if isinstance(self.body, dict) else {}
        issues = body.get("detail")
        first = issues[0] if isinstance(issues, list) and issues else body
        word = first.get("type", first.get("error_type")) if isinstance(first, dict) else None
        return word if isinstance(word, str) else None


class Accepted(msgspec.Struct, frozen=True):
    """The submit was taken; fal's id of it."""

    request_id: str


class Unsent(msgspec.Struct, frozen=True):
    """The submit provably never left: no connection was made."""

    why: str


class Rejected(msgspec.Struct, frozen=True):
    """A 4xx in answer to the submit: nothing runs.

    Attributes:
        answer: fal's refusal.
        said: It in a line for operators, without what may be a secret.
    """

    answer: FalAnswer
    said: str = ""


class Lost(msgspec.Struct, frozen=True):
    """Nobody knows whether fal took it, or what became of it."""

    why: str


class Delivered(msgspec.Struct, frozen=True):
    """A 200 result.

    Attributes:
        output: fal's JSON.
        units: `x-fal-billable-units`, or None.
    """

    output: Any
    units: str | None


class Failed(msgspec.Struct, frozen=True):
    """A result other than 200.

    Attributes:
        answer: fal's refusal.
        units: `x-fal-billable-units`, or None.
    """

    answer: FalAnswer
    units: str | None


class DownloadFailed(Exception):
    """A delivered picture could not be fetched; the message says why."""


Submission = Accepted | Unsent | Rejected | Lost


Result = Delivered | Failed | Lost
