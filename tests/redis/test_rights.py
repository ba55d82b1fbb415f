"""What Redis denies falgate's user is named, with the right that it lacks: at a start and after."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from falgate.core.errors import Unavailable
from falgate.money.store.ledger import Ledger
from falgate.redis.client import RedisUnfit, connect, plainly
from falgate.redis.rights import check_rights

SECRET = "hunter2"
DOCUMENTED = "+@all -@dangerous +info +config|get +bgrewriteaof ~{fg*}:* ~fg:* &fg:*"
LACKS = {
    "the clock": ("-time", "+time"),
    "scripts by their hash": ("-evalsha", "+evalsha"),
    "scripts by their text": ("-eval", "+eval"),
    "reading": ("-hget", "+hget"),
    "writing": ("-hdel", "+hdel"),
    "writing in scripts": ("-zadd", "+@all|+zadd"),
    "keys of money": ("resetkeys ~fg:*", "~{fg*}:* ~fg:*"),
    "keys of pictures": ("resetkeys ~{fg}:* ~{fgr}:* ~fg:*", "~{fg*}:* ~fg:*"),
    "keys of pools": ("resetkeys ~{fg*}:*", "~{fg*}:* ~fg:*"),
    "channels": ("resetchannels", "&fg:*"),
}


@pytest.fixture
def tenant(redis: Any, url: str) -> Callable[..., Any]:
    """A client whose user has these rights, as ACL SETUSER spells them."""

    @asynccontextmanager
    async def signed_in(*rights: str) -> AsyncIterator[Redis]:
        await redis.execute_command(
            "ACL", "SETUSER", "tenant", "reset", "on", f">{SECRET}", *" ".join(rights).split()
        )
        async with connect(url.replace("://", f"://tenant:{SECRET}@")) as client:
            yield client
        await redis.acl_deluser("tenant")

    return signed_in


async def test_a_user_with_the_documented_rights_may_all_that_is_needed(
    tenant: Callable[..., Any], redis: Any
) -> None:
    before = await redis.dbsize()
    async with tenant(DOCUMENTED) as client:
        await check_rights(client)

    assert await redis.dbsize() == before


@pytest.mark.parametrize(("taken", "right"), LACKS.values(), ids=LACKS)
async def test_what_a_user_lacks_is_named_before_a_start(
    taken: str, right: str, tenant: Callable[..., Any], url: str
) -> None:
    async with tenant(DOCUMENTED, taken) as client:
        with pytest.raises(RedisUnfit) as refused, plainly(client):
            await check_rights(client)

    said = str(refused.value)
    assert "forbids what falgate needs (" in said
    assert any(said.endswith(f"by ACL SETUSER with {each}") for each in _any_of(right)), said
    assert '("' not in said
    assert "FALGATE_REDIS_URL" in said
    assert url.removeprefix("unix://") in said
    assert SECRET not in said


def _any_of(right: str) -> list[str]:
    """Redis 7.0 does not say which command of a script."""
    return ["+@all -@dangerous", "+zadd"] if "|+" in right else [right]


async def test_a_right_that_is_taken_away_is_a_short_refusal_for_callers(
    tenant: Callable[..., Any], redis: Any
) -> None:
    async with tenant(DOCUMENTED) as client:
        ledger = Ledger(client)
        await ledger.live()
        await redis.execute_command("ACL", "SETUSER", "tenant", "-hget")
        with pytest.raises(Unavailable) as refused:
            await ledger.live()

    assert str(refused.value) == "Redis denies falgate's user a right (+hget)"


async def test_a_password_that_was_changed_is_named_as_such(
    tenant: Callable[..., Any], redis: Any
) -> None:
    async with tenant(DOCUMENTED) as client:
        ledger = Ledger(client)
        await ledger.live()
        await redis.execute_command("ACL", "SETUSER", "tenant", "resetpass", ">another")
        await redis.execute_command("CLIENT", "KILL", "USER", "tenant")
        with pytest.raises(Unavailable) as refused:
            await ledger.live()

    assert str(refused.value) == "Redis refuses falgate's user or password (FALGATE_REDIS_URL)"
    assert SECRET not in str(refused.value)
