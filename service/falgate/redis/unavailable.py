"""Translation of Redis errors into `Unavailable`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from redis.exceptions import (
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from falgate.core.errors import Unavailable
from falgate.redis.denials import is_unknown, missing_right, words

_TOLD_EVERY_S = 60.0
_AGAIN_S, _FULL_S = 2, 30
_FULL = (
    "Redis is at its memory limit (maxmemory): new work is refused, and work under way is "
    "completed. The operator has to raise the limit, or wait until old requests are deleted"
)
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (BusyLoadingError, "Redis is still loading falgate's ledger; try again"),
    (OutOfMemoryError, _FULL),
    (ReadOnlyError, "falgate's ledger cannot be written, because Redis is a replica; try again"),
    (ResponseError, "falgate's ledger cannot be used: Redis answers with an error; try again"),
)

_LOG = structlog.get_logger()
_told_s: dict[str, float] = {}
_shown = ContextVar("shown", default=False)


@contextmanager
def untold() -> Iterator[None]:
    """Do not log errors in the block, because its caller shows them."""
    token = _shown.set(True)
    try:
        yield
    finally:
        _shown.reset(token)


class _Translation:
    """Raises `Unavailable` in place of an error of Redis or the connection.

    One object for all blocks, which it does not tell apart: a generator for each would cost more
    than what most of them do.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Enter a block."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Leave it."""
        if not isinstance(error, RedisError | OSError) or isinstance(error, NoScriptError):
            return
        if not _shown.get():
            _tell(error)
        said = _words(error)
        raise Unavailable(said, _FULL_S if said is _FULL else _AGAIN_S) from error


TRANSLATED = _Translation()
"""In its blocks, an error of Redis or the connection is `Unavailable`, so nothing is bought."""


def _words(error: Exception) -> str:
    """Return the message for callers; operators find more in the log."""
    if is_unknown(error):
        return "Redis refuses falgate's user or password (FALGATE_REDIS_URL)"
    if right := missing_right(error):
        return f"Redis denies falgate's user a right ({right})"
    found = (said for kind, said in _WORDS if isinstance(error, kind))
    return next(found, "falgate cannot reach its ledger now; try again")


def _tell(error: Exception) -> None:
    """Log the cause, at most once a minute for each kind of error."""
    kind, now_s = type(error).__name__, time.monotonic()
    if now_s - _told_s.get(kind, -_TOLD_EVERY_S) >= _TOLD_EVERY_S:
        _told_s[kind] = now_s
        denied = {"setting": "FALGATE_REDIS_URL"} if is_unknown(error) else {}
        if right := missing_right(error):
            denied = {"setting": "FALGATE_REDIS_URL", "right": right}
        _LOG.warning("redis.failed", error=kind, why=words(error), **denied)
