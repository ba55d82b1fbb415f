"""What the administration refuses: each problem says what is wrong, and what to do about it."""


class Problem(Exception):
    """An operation that was not done; nothing has changed. The message is one line, for people.

    Attributes:
        status: Of HTTP.
        title: What kind of problem it is: the same words each time.
    """

    status: int = 500
    title: str = "Problem"


class Invalid(Problem):
    """What was asked for makes no sense, whatever there is."""

    status = 400
    title = "Bad input"


class NotFound(Problem):
    """It is about something that is not there."""

    status = 404
    title = "Not found"


class Conflict(Problem):
    """It makes sense, and does not fit what is there."""

    status = 409
    title = "Conflict"
