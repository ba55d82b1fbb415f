"""Where a failing Redis becomes a refusal that the flow understands."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import OutOfMemoryError, RedisError

from falgate.core.errors import Unavailable

_FULL_S = 30


@contextmanager
def reaching() -> Iterator[None]:
    """Turn whatever Redis or the way to it answers into `Unavailable`: money stays closed.

    redis-py has sent the command again by then, which is why every script is idempotent.
    """
    try:
        yield
    except OutOfMemoryError as error:
        raise Unavailable(
            "Redis is at its memory limit (maxmemory), so nothing new is taken; what is under way "
            "is brought to its end. Its operator has to give it more, or wait until requests are "
            "forgotten",
            _FULL_S,
        ) from error
    except (RedisError, OSError) as error:
        raise Unavailable("falgate cannot reach its ledger now; ask again") from error
