"""Errors of admin operations: each message says what is wrong and how to fix it."""


class Problem(Exception):
    """An admin operation failed and changed nothing. The message is one line, for people.

    Attributes:
        status: HTTP status.
        title: The kind of problem, in fixed words.
    """

    status: int = 500
    title: str = "Problem"


class Invalid(Problem):
    """The input is invalid, whatever the current state."""

    status = 400
    title = "Bad input"


class NotFound(Problem):
    """The subject of the operation does not exist."""

    status = 404
    title = "Not found"


class Conflict(Problem):
    """The input is valid, but conflicts with the current state."""

    status = 409
    title = "Conflict"


class Forbidden(Problem):
    """The operator may not do this, or nobody may."""

    status = 403
    title = "Forbidden"


class Unauthorized(Problem):
    """The operator's key is missing, wrong or not valid any more."""

    status = 401
    title = "Unauthorized"
