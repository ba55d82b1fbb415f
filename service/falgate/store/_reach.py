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

_TOLD_EVERY_S = 60.0
_SHOWN = 300
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
def reaching() -> Iterator[None]:
    """Turn whatever Redis or the way to it answers into `Unavailable`: money stays closed.

    redis-py has sent the command again by then, which is why every script is idempotent.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        _tell(error)
        for kind, words in _WORDS:
            if isinstance(error, kind):
                raise Unavailable(words, _FULL_S if words is _FULL else _AGAIN_S) from error
        raise Unavailable("falgate cannot reach its ledger now; ask again") from error


def _tell(error: Exception) -> None:
    """Name the cause to operators: once a minute of each kind, however many callers it meets."""
    kind, now_s = type(error).__name__, time.monotonic()
    if now_s - _told_s.get(kind, -_TOLD_EVERY_S) >= _TOLD_EVERY_S:
        _told_s[kind] = now_s
        _LOG.warning("redis.failed", error=kind, why=str(error)[:_SHOWN])
