"""Rewriting of Redis's append-only file after a restart.

A server that is killed while it writes may leave half a transaction at the end of the file. Redis
7.0 (Debian has 7.0.15) truncates such a file after the last complete command instead of before the
MULTI. The data is still correct then, but the second start runs that half together with everything
written since. A file that is rewritten from the data has no such half.
"""

import asyncio

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from falgate.core.errors import Unavailable
from falgate.redis.bounded import attempt

_TORN = (7, 0)
_PAUSES_S = (0.01, 1.0)

_LOG = structlog.get_logger()


def may_tear(version: str) -> bool:
    """Return whether this version of Redis truncates the file in the wrong place."""
    return tuple(map(int, version.split(".")[:2])) == _TORN


async def rewrite(redis: Redis, version: str) -> None:
    """Have the file rewritten, and wait until it is.

    Raises:
        Unavailable: The file could not be rewritten, or Redis is down.
    """
    if not (await redis.info("persistence")).get("aof_enabled"):
        return
    reply = await attempt(redis, "BGREWRITEAOF")
    # A rewrite that is already under way also writes the data that was loaded at the start.
    if isinstance(reply, ResponseError) and "in progress" not in str(reply):
        _refused(version, str(reply))
        return
    pause_s, longest_s = _PAUSES_S
    while True:
        found = await redis.info("persistence")
        if not (found["aof_rewrite_in_progress"] or found.get("aof_rewrite_scheduled")):
            break
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, longest_s)
    if found["aof_last_bgrewrite_status"] != "ok":
        raise Unavailable(
            "Redis could not rewrite its append-only file after a restart, and purchases are "
            "stopped until it has: check its log, its disk space and vm.overcommit_memory",
            10,
        )


def _refused(version: str, why: str) -> None:
    """Raise if a rewrite is refused, as managed services do, and this version needs it."""
    if may_tear(version):
        raise Unavailable(
            f"Redis {version} cannot be trusted after a restart until its append-only file is "
            f"rewritten, and it refuses BGREWRITEAOF ({why}): allow it, or use a later version",
            60,
        )
    _LOG.warning("redis.no_rewrite", version=version, why=why)
