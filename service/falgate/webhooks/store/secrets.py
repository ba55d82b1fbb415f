"""Secrets of the ledger, each made once, for hooks, webhooks and links; whose hooks they are."""

import secrets

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.unavailable import translate_errors
from falgate.webhooks.delivery import Signer

_BYTES = 32


class Accounts:
    """Whose account each upstream's jobs are of, as its first hook said."""

    def __init__(self, redis: Redis) -> None:
        """Keep it in this Redis."""
        self._redis = redis

    async def user(self, upstream: str) -> str:
        """The user id; "" while there is none.

        Raises:
            Unavailable: Without Redis.
        """
        with translate_errors():
            return str(await self._redis.hget(keyspace.META, f"user:{upstream}") or "")

    async def learn(self, upstream: str, user: str) -> None:
        """Keep the first one.

        Raises:
            Unavailable: Without Redis.
        """
        with translate_errors():
            await self._redis.hsetnx(keyspace.META, f"user:{upstream}", user)


async def hook_secret(redis: Redis) -> bytes:
    """What completion hooks' addresses are proved with; whoever asks first makes it.

    Raises:
        Unavailable: Without Redis.
    """
    return await _secret(redis, "hook_secret")


async def link_secret(redis: Redis) -> bytes:
    """What links to pictures are signed with, if they are; whoever asks first makes it.

    Raises:
        Unavailable: Without Redis.
    """
    return await _secret(redis, "link_secret")


async def webhook_signer(redis: Redis) -> Signer:
    """Who signs webhooks for this ledger, which has been born: the same on every instance.

    Raises:
        Unavailable: Without Redis.
    """
    seed = await _secret(redis, "webhook_seed")
    with translate_errors():
        ledger_id = await redis.hget(keyspace.META, "id")
    assert ledger_id, "a ledger is born before anything is signed for it"
    return Signer(seed, str(ledger_id))


async def _secret(redis: Redis, field: str) -> bytes:
    with translate_errors():
        await redis.hsetnx(keyspace.META, field, secrets.token_hex(_BYTES))
        return bytes.fromhex(str(await redis.hget(keyspace.META, field)))
