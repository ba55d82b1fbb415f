"""What Redis denies falgate's user: to sign in at all, or a right, and which one of its ACL."""

import re

from redis.exceptions import AuthenticationError, NoPermissionError

from falgate.redis import keyspace

_COMMAND = re.compile(r"'([\w|-]+)' command")
_IN_A_SCRIPT = re.compile(r"user executing the script can't|ACL failure in script")
_SHOWN = 300


def is_unknown(error: BaseException) -> bool:
    """Whether the user or the password is wrong."""
    # redis-py makes an error of the connection of all that opens one, and tries again.
    before: BaseException | None = error
    while before is not None and not isinstance(before, AuthenticationError):
        before = before.__cause__ or before.__context__
    return before is not None


def missing_right(error: BaseException) -> str:
    """The right that a user lacks, as `ACL SETUSER` spells it; "" where it lacks none."""
    said = words(error)
    if not isinstance(error, NoPermissionError) and not _IN_A_SCRIPT.search(said):
        return ""
    if found := _COMMAND.search(said):
        return f"+{found[1].lower()}"
    if "channel" in said:
        return keyspace.TO_CHANNELS
    # Redis does not say which key, nor which command of a script.
    return keyspace.TO_KEYS if "key" in said else "+@all -@dangerous"


def words(error: BaseException) -> str:
    """Redis's own words in one line, without what redis-py puts around them in a pipeline."""
    _, in_a_pipeline, said = str(error).rpartition("caused error: ")
    return " ".join((said.strip('(",)') if in_a_pipeline else said).split())[:_SHOWN]
