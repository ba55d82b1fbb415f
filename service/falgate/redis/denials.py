"""Refused logins and missing ACL rights of falgate's Redis user."""

import re

from redis.exceptions import AuthenticationError, NoPermissionError

from falgate.redis import keyspace

_COMMAND = re.compile(r"'([\w|-]+)' command")
_IN_A_SCRIPT = re.compile(r"user executing the script can't|ACL failure in script")
_SHOWN = 300


def is_unknown(error: BaseException) -> bool:
    """Return whether an error was caused by a wrong user or password."""
    # redis-py wraps errors in opening a connection in connection errors, and retries.
    before: BaseException | None = error
    while before is not None and not isinstance(before, AuthenticationError):
        before = before.__cause__ or before.__context__
    return before is not None


def missing_right(error: BaseException) -> str:
    """Return the missing right in the notation of `ACL SETUSER`; "" if none is missing."""
    said = words(error)
    if not isinstance(error, NoPermissionError) and not _IN_A_SCRIPT.search(said):
        return ""
    if found := _COMMAND.search(said):
        return f"+{found[1].lower()}"
    if "channel" in said:
        return keyspace.TO_CHANNELS
    # Redis names neither the key nor a script's command.
    return keyspace.TO_KEYS if "key" in said else "+@all -@dangerous"


def words(error: BaseException) -> str:
    """Return Redis's own message in one line, without redis-py's wrapping in a pipeline."""
    _, in_a_pipeline, said = str(error).rpartition("caused error: ")
    return " ".join((said.strip('(",)') if in_a_pipeline else said).split())[:_SHOWN]
