"""Where a failing Redis becomes a refusal that the flow understands."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from falgate.core.errors import Unavailable


@contextmanager
def reaching() -> Iterator[None]:
    """Turn whatever Redis or the way to it answers into `Unavailable`: money stays closed.

    redis-py has sent the command again by then, which is why every script is idempotent.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("falgate cannot reach its ledger now; ask again") from error
