"""The connection to Redis, and checks that this Redis is fit to hold the ledger."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from redis import DriverInfo
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError, ResponseError

from falgate import __version__
from falgate.core.errors import Unavailable
from falgate.redis.bounded import BoundedRedis, attempt
from falgate.redis.denials import is_unknown, missing_right, words
from falgate.redis.unavailable import untold
from falgate.redis.url import complaint

_OLDEST = (7, 0)
_TRIP_S = 2
_RETRIES = 3
_CONNECTIONS_MAX = 128
_LINE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
"""TCP settings that detect a vanished host: in seconds, a count, and milliseconds (tcp(7))."""

# What CLIENT LIST shows. redis-py would look up its own version for each connection, in a file.
_DRIVER = DriverInfo(name="falgate", lib_version=__version__)

_SAFE_POLICIES = re.compile(r"noeviction|volatile-\w+")


class RedisUnfit(Exception):
    """This Redis must not hold the ledger; the message says why and what to change."""


class Durability(msgspec.Struct, frozen=True):
    """What must be confirmed after a job's mark was written, before its submit may leave.

    Attributes:
        fsync: Whether WAITAOF must confirm that the server's disk has the mark. Not needed if the
            server syncs before each reply.
        replicas: Number of replicas that WAIT must confirm.
        weak: Whether a restart of the server may lose writes that it acknowledged.
    """

    fsync: bool = False
    replicas: int = 0
    weak: bool = False


def connect(url: str, timeout_s: int = _TRIP_S) -> Redis:
    """Create a client that gives up within seconds, because callers are waiting.

    Args:
        url: URL of the Redis server.
        timeout_s: Deadline of a round trip, including all retries, in seconds.

    Raises:
        RedisUnfit: The URL is invalid.
    """
    backoff = ExponentialBackoff(cap=0.2, base=0.02)
    if wrong := complaint(url):
        raise RedisUnfit(wrong)
    # With all connections in use, this pool lets callers wait; the default one would refuse them.
    pool = BlockingConnectionPool.from_url(
        url,
        decode_responses=True,
        socket_timeout=None,  # `BoundedRedis` sets a deadline for each round trip
        socket_connect_timeout=timeout_s,
        retry=Retry(backoff, _RETRIES),
        max_connections=_CONNECTIONS_MAX,
        timeout=timeout_s,
        driver_info=_DRIVER,
        **_keepalive(url),
    )
    client = BoundedRedis(connection_pool=pool)
    client.auto_close_connection_pool = True
    client.trip_ms = timeout_s * 1000
    return client


def _keepalive(url: str) -> dict[str, Any]:
    if url.startswith("unix://"):
        return {}
    known = {getattr(socket, name): n for name, n in _LINE.items() if hasattr(socket, name)}
    return {"socket_keepalive": True, "socket_keepalive_options": known}


async def inspect(redis: Redis, *, replicas: int, allow_weak: bool) -> Durability:
    """Determine what makes a write durable in this Redis.

    Raises:
        RedisUnfit: Redis is too old, may evict money, or may lose writes that it acknowledged.
    """
    with plainly(redis), untold():
        server = await redis.info("server")
        memory = await redis.info("memory")
        persistence = await redis.info("persistence")
        version = tuple(int(part) for part in server["redis_version"].split(".")[:2])
        fsync, refused = await _appendfsync(redis)
        waits = not isinstance(await attempt(redis, "WAITAOF", 0, 0, 0), ResponseError)
    if version < _OLDEST:
        raise RedisUnfit(
            f"Redis {server['redis_version']} is too old: falgate needs 7.0 or later, or any Valkey"
        )
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    if not _SAFE_POLICIES.fullmatch(policy):
        raise RedisUnfit(
            f"Redis may evict money (maxmemory-policy {policy}): set noeviction or volatile-lru"
        )
    if not persistence.get("aof_enabled"):
        if not allow_weak:
            raise RedisUnfit(
                "Redis keeps no append-only file and would lose holds in a crash: set appendonly "
                "yes, or accept that with FALGATE_ALLOW_WEAK_DURABILITY=true"
            )
        return Durability(replicas=replicas, weak=True)
    if fsync == "always":
        return Durability(replicas=replicas)
    if not waits and not allow_weak and refused:
        raise RedisUnfit(
            f"Redis does not tell whether it syncs to disk before it replies ({refused}), and "
            "has no WAITAOF (Redis 7.2): let falgate's user run CONFIG GET (ACL +config|get), or "
            "accept that it may lose its last second with FALGATE_ALLOW_WEAK_DURABILITY=true"
        )
    if not waits and not allow_weak:
        raise RedisUnfit(
            "Redis may lose its last second in a crash and has no WAITAOF (Redis 7.2): set "
            "appendfsync always, or accept that with FALGATE_ALLOW_WEAK_DURABILITY=true"
        )
    return Durability(fsync=waits, replicas=replicas, weak=not waits)


def failing(redis: Redis, error: Exception) -> str:
    """Describe a Redis error and its remedy; never contains the password."""
    where = f"Redis at {address(redis)}"
    said = words(error)
    if is_unknown(error):
        return f"{where} refuses the user or password of FALGATE_REDIS_URL ({said})"
    if right := missing_right(error):
        return (
            f"{where} forbids what falgate needs ({said}): grant it to the user of "
            f"FALGATE_REDIS_URL, by ACL SETUSER with {right}"
        )
    if isinstance(error, ResponseError):
        return f"{where} answers with an error ({said}): is FALGATE_REDIS_URL correct?"
    return (
        f"{where} does not answer ({type(error).__name__}: {said}): start it, or set "
        "FALGATE_REDIS_URL"
    )


@contextmanager
def plainly(redis: Redis) -> Iterator[None]:
    """Show operators the full cause of a Redis error, of which callers hear less.

    Raises:
        RedisUnfit: Replaces an `Unavailable` that was caused by Redis.
    """
    try:
        yield
    except Unavailable as error:
        if not isinstance(error.__cause__, RedisError | OSError):
            raise
        raise RedisUnfit(failing(redis, error.__cause__)) from error


def address(redis: Redis) -> str:
    """Return the address of a client's server: host:port, or the path of a socket."""
    named = redis.connection_pool.connection_kwargs
    return str(named.get("path") or f"{named.get('host')}:{named.get('port', 6379)}")


async def _appendfsync(redis: Redis) -> tuple[str, str]:
    """Return the server's `appendfsync`, or "unknown" and why it does not tell."""
    found = await attempt(redis, "CONFIG GET", "appendfsync")
    # Managed services refuse CONFIG; the setting then counts as unsafe.
    if isinstance(found, ResponseError):
        return "unknown", str(found)
    return str(found.get("appendfsync", "unknown")), ""
