"""Keys of apps: kept without their secrets, revoked at once and for good."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from falgate.core import apikey
from falgate.core.apikey import KeyRecord
from falgate.store.apikeys import ApiKeys


@pytest.fixture
def keys(redis: Redis) -> ApiKeys:
    return ApiKeys(redis)


def record(key_id: str, created_s: int = 5) -> KeyRecord:
    return KeyRecord(
        id=key_id,
        kind="live",
        digest="d" * 64,
        team="t",
        app="p",
        name="for the shop: ü",
        created_s=created_s,
        revoked_s=0,
    )


async def test_a_key_is_read_as_it_was_added(keys: ApiKeys) -> None:
    await keys.add(record("k"))

    assert await keys.read("k") == record("k")
    assert await keys.read("other") is None


async def test_keys_are_listed_by_age(keys: ApiKeys) -> None:
    for key_id, created_s in [("c", 3), ("a", 10), ("b", 3)]:
        await keys.add(record(key_id, created_s))

    assert [key.id for key in await keys.all()] == ["b", "c", "a"]


async def test_a_key_is_revoked_at_the_first_time_that_counts(keys: ApiKeys) -> None:
    await keys.add(record("k"))

    assert await keys.revoke("k", 100)
    assert await keys.revoke("k", 200)

    assert await keys.read("k") == msgspec.structs.replace(record("k"), revoked_s=100)


async def test_revoking_a_key_that_is_not_there_makes_none(keys: ApiKeys, redis: Redis) -> None:
    assert not await keys.revoke("k", 100)

    assert await redis.dbsize() == 0


async def test_the_secret_of_a_key_is_nowhere_in_redis(
    keys: ApiKeys, everything: Callable[[], Awaitable[dict[str, Any]]]
) -> None:
    text = apikey.mint("live", b"\x07" * apikey.ID_BYTES, b"\x09" * apikey.SECRET_BYTES)
    presented = apikey.present(text)
    assert presented is not None
    await keys.add(msgspec.structs.replace(record(presented.id), digest=presented.digest))

    written = str(await everything())

    secret = text.split("_")[3]
    assert len(secret) > 40
    assert secret not in written
    assert presented.id in written
    assert presented.digest in written
