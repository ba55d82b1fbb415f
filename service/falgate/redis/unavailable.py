"""Where a failing Redis becomes a refusal that the flow understands."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from redis.exceptions import (
    BusyLoadingError,
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
    "Redis is at its memory limit (maxmemory), so nothing new is taken; what is under way is "
    "brought to its end. Its operator has to give it more, or wait until requests are forgotten"
)
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (BusyLoadingError, "falgate's ledger is being loaded by Redis; ask again"),
    (OutOfMemoryError, _FULL),
    (ReadOnlyError, "falgate's ledger cannot be written: Redis is a replica; ask again"),
    (ResponseError, "falgate's ledger cannot be used: Redis answers with an error; ask again"),
)

_LOG = structlog.get_logger()
_told_s: dict[str, float] = {}


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn whatever Redis or the way to it answers into `Unavailable`: money stays closed.

    redis-py has sent the command again by then, which is why every script is idempotent.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        _tell(error)
        said = _words(error)
        raise Unavailable(said, _FULL_S if said is _FULL else _AGAIN_S) from error


def _words(error: Exception) -> str:
    """What callers hear; whoever can do something about it has the log."""
    if is_unknown(error):
        return "Redis refuses falgate's user or password (FALGATE_REDIS_URL)"
    if right := missing_right(error):
        return f"Redis denies falgate's user a right ({right})"
    found = (said for kind, said in _WORDS if isinstance(error, kind))
    return next(found, "falgate cannot reach its ledger now; ask again")


def _tell(error: Exception) -> None:
    """Name the cause to operators: once a minute of each kind, however many callers it meets."""
    kind, now_s = type(error).__name__, time.monotonic()
    if now_s - _told_s.get(kind, -_TOLD_EVERY_S) >= _TOLD_EVERY_S:
        _told_s[kind] = now_s
        denied = {"setting": "FALGATE_REDIS_URL"} if is_unknown(error) else {}
        if right := missing_right(error):
            denied = {"setting": "FALGATE_REDIS_URL", "right": right}
        _LOG.warning("redis.failed", error=kind, why=words(error), **denied)
