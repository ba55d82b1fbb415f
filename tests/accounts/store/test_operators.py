"""Operators in Redis: changed only as they were read, audited, and never with their digest."""

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from falgate.accounts.operator import OperatorRecord
from falgate.accounts.store.registry import Registry
from falgate.core.errors import Unavailable
from falgate.redis import keyspace

RECORD = OperatorRecord(
    id="k", digest="d" * 64, name="ann", created_s=5, role="viewer", previous_digest="e" * 64
)


async def test_operators_are_read_as_they_were_put_oldest_first(redis: Redis) -> None:
    operators = Registry(redis).operators
    older = replace(RECORD, id="z", created_s=4)
    assert await operators.put(None, RECORD, "me")
    assert await operators.put(None, older, "me")

    found, now_s = await operators.get("k")
    assert found == RECORD
    assert now_s > 1_600_000_000
    assert await operators.all() == [older, RECORD]
    assert (await operators.get("nobody"))[0] is None
    assert await Registry(redis).ids() == {"k", "z"}


async def test_a_change_that_came_too_late_does_nothing(redis: Redis) -> None:
    operators = Registry(redis).operators
    await operators.put(None, RECORD, "me")
    assert await operators.put(RECORD, replace(RECORD, disabled=True), "me")

    assert not await operators.put(RECORD, replace(RECORD, name="eve"), "you")
    assert not await operators.put(None, RECORD, "you")


async def test_the_audit_log_has_no_digest(redis: Redis) -> None:
    registry = Registry(redis)
    await registry.operators.put(None, RECORD, "me")

    (line,) = [each async for each in registry.audit()]

    assert (line.who, line.action, line.subject) == ("me", "operator", "k")
    assert "ddd" not in line.after
    assert "eee" not in line.after


async def test_an_emptied_redis_is_no_reason_to_know_nobody(redis: Redis) -> None:
    operators = Registry(redis, ledger_id="mine").operators
    for read in (operators.get("k"), operators.all(), operators.put(None, RECORD, "me")):
        with pytest.raises(Unavailable):
            await read
    await redis.hset(keyspace.META, "id", "mine")
    assert await operators.all() == []
