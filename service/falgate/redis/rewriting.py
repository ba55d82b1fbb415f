"""The append-only file, written anew by its server and waited for.

A server that is killed while it writes may leave half a transaction at the end of the file. Redis
7.0 (Debian's is 7.0.15) cuts such a file behind the last whole command and not before the MULTI:
the data is right then, but the second start runs that half together with what was written since. A
file that is written anew from the data has no such half.
"""

import asyncio

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from falgate.core.errors import Unavailable
from falgate.redis.unavailable import translate_errors

_TORN = (7, 0)
_PAUSES_S = (0.01, 1.0)

_LOG = structlog.get_logger()


def may_tear(version: str) -> bool:
    """Whether such a server is known to cut a file in the wrong place."""
    return tuple(map(int, version.split(".")[:2])) == _TORN


async def rewrite(redis: Redis, version: str) -> None:
    """Have the file written anew, and wait until it is.

    Raises:
        Unavailable: It was not written, or Redis is not there.
    """
    with translate_errors():
        if not (await redis.info("persistence")).get("aof_enabled"):
            return
        try:
            await redis.bgrewriteaof()
        except ResponseError as error:
            # One that is under way writes what this process has loaded: it does as well.
            if "in progress" not in str(error):
                _refused(version, str(error))
                return
    pause_s, longest_s = _PAUSES_S
    while True:
        with translate_errors():
            found = await redis.info("persistence")
        if not (found["aof_rewrite_in_progress"] or found.get("aof_rewrite_scheduled")):
            break
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, longest_s)
    if found["aof_last_bgrewrite_status"] != "ok":
        raise Unavailable(
            "Redis could not write its append-only file anew after a restart, and until it has "
            "nothing is bought: look at its log, for room on its disk and vm.overcommit_memory",
            10,
        )


def _refused(version: str, why: str) -> None:
    """Managed services may forbid it; then it matters whether their version needs it."""
    if may_tear(version):
        raise Unavailable(
            f"Redis {version} may not be trusted after a restart until its append-only file was "
            f"written anew, and it refuses BGREWRITEAOF ({why}): allow it, or use a later version",
            60,
        )
    _LOG.warning("redis.no_rewrite", version=version, why=why)
