"""Redis filled as much use would have left it, by pipelines, and what it tells of itself."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import hiredis
import msgspec
from redis import Redis

from bench.processes import Failed
from falgate import settings
from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord
from falgate.accounts.cache_settings import DEFAULT_POLICY
from falgate.accounts.directory import FIRST
from falgate.cache.fingerprint import fingerprint
from falgate.cache.policy import scope_name
from falgate.models.arguments import read
from falgate.models.endpoints import MODELS
from falgate.redis import keyspace, picture_keys

_PIPELINE = 10_000
_SPEC = MODELS["fal-ai/gpt-image-1.5"]

Command = Sequence[str | bytes]


def fingerprint_of(body: bytes, upstream: str = settings.SANDBOX) -> str:
    """The fingerprint of a body, asked for by the first app before an upstream."""
    arguments = read(_SPEC, body, "application/json").arguments
    scope = scope_name(DEFAULT_POLICY.scope, FIRST, FIRST)
    return fingerprint(_SPEC, arguments, upstream=upstream, scope=scope)


def copy_pool(redis: Redis, fingerprint: str, others: Iterable[str]) -> None:
    """Give other fingerprints the pool that one has.

    Raises:
        Failed: It has none.
    """
    pool = redis.hgetall(picture_keys.pool(fingerprint))
    assert isinstance(pool, dict)
    if not pool:
        raise Failed("a body's pool is not where its fingerprint says")
    fields = [part for item in pool.items() for part in item]
    _send(redis, (("HSET", picture_keys.pool(each), *fields) for each in others))


def random_fingerprints(number: int) -> Iterable[str]:
    """So many that nobody will ask for."""
    return (os.urandom(32).hex() for _ in range(number))


def add_keys(redis: Redis, number: int) -> None:
    """Give the first app so many further keys."""
    _send(redis, (command for _ in range(number) for command in _key_commands()))


def used_mib(redis: Redis) -> float:
    """The memory that Redis uses."""
    info = redis.info("memory")
    assert isinstance(info, dict)
    return float(info["used_memory"]) / 2**20


def calls(redis: Redis, command: str) -> int:
    """How often Redis has run a command."""
    stats = redis.info("commandstats")
    assert isinstance(stats, dict)
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


def _key_commands() -> Iterable[Command]:
    secret = apikey.mint("live", os.urandom(apikey.ID_BYTES), os.urandom(apikey.SECRET_BYTES))
    presented = apikey.present(secret)
    assert presented
    record = KeyRecord(
        id=presented.id,
        kind="live",
        digest=presented.digest,
        team=FIRST,
        app=FIRST,
        name="",
        created_s=1,
    )
    yield "HSET", keyspace.apikey(record.id), "record", msgspec.json.encode(record)
    for of in ("", FIRST, f"{FIRST}/{FIRST}"):
        yield "ZADD", keyspace.key_order(of), "0", record.place


def _send(redis: Redis, commands: Iterable[Command]) -> None:
    """Send them, many at once: redis-py's own pipelines would take minutes for a million."""
    connection: Any = redis.connection_pool.get_connection()
    packed: list[bytes] = []

    def flush() -> None:
        connection.send_packed_command(packed)
        for _ in packed:
            connection.read_response()
        packed.clear()

    for command in commands:
        parts: Any = tuple(command)
        packed.append(hiredis.pack_command(parts))
        if len(packed) == _PIPELINE:
            flush()
    flush()
    redis.connection_pool.release(connection)
