"""Outcomes of calls to fal: of a submit, and of following a request to its result."""

from typing import Any

import msgspec


class FalAnswer(msgspec.Struct, frozen=True):
    """An error response from fal.

    Attributes:
        status: HTTP status.
        body: fal's JSON, or a substitute if it sent none.
        headers: Those of fal's headers that concern the caller.
    """

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def error_type(self) -> str | None:
        """fal's machine-readable code, or that of its first problem with the input."""
        body = self.body if isinstance(self.body, dict) else {}
        issues = body.get("detail")
        first = issues[0] if isinstance(issues, list) and issues else body
        word = first.get("type", first.get("error_type")) if isinstance(first, dict) else None
        return word if isinstance(word, str) else None


class Accepted(msgspec.Struct, frozen=True):
    """fal accepted the submit and gave it this id."""

    request_id: str


class Unsent(msgspec.Struct, frozen=True):
    """The submit provably never reached fal."""

    why: str


class Rejected(msgspec.Struct, frozen=True):
    """fal answered the submit with a 4xx: nothing runs.

    Attributes:
        answer: fal's error response.
        said: The same in one line for operators, with anything that may be secret removed.
    """

    answer: FalAnswer
    said: str = ""


class Lost(msgspec.Struct, frozen=True):
    """The outcome is unknown: whether fal accepted the submit, or how the request ended."""

    why: str


class Delivered(msgspec.Struct, frozen=True):
    """A result with status 200.

    Attributes:
        output: fal's JSON.
        units: `x-fal-billable-units`, or None.
    """

    output: Any
    units: str | None


class Failed(msgspec.Struct, frozen=True):
    """A result with an error status.

    Attributes:
        answer: fal's error response.
        units: `x-fal-billable-units`, or None.
    """

    answer: FalAnswer
    units: str | None


class DownloadFailed(Exception):
    """A delivered picture could not be fetched; the message says why."""


Submission = Accepted | Unsent | Rejected | Lost


Result = Delivered | Failed | Lost
