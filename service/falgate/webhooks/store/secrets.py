"""Secrets of the ledger, each generated once, and the fal user of each upstream."""

import secrets
from typing import Literal

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.webhooks.delivery import Signer

_BYTES = 32

Secret = Literal["hook_secret", "link_secret", "webhook_seed", "console_secret"]
"""Of the URLs of fal's callbacks, of the picture links, of the key that signs webhooks, and of the
console's cookies."""


class Accounts:
    """The fal user id of each upstream, learnt from its first callback.

    All methods raise `Unavailable` without Redis.
    """

    def __init__(self, redis: Redis) -> None:
        """Keep the ids in this Redis."""
        self._redis = redis

    async def user(self, upstream: str) -> str:
        """Return the user id of an upstream, "" while it is unknown."""
        return str(await self._redis.hget(keyspace.META, f"user:{upstream}") or "")

    async def learn(self, upstream: str, user: str) -> None:
        """Store the user id of an upstream unless one is already stored."""
        await self._redis.hsetnx(keyspace.META, f"user:{upstream}", user)


async def secret(redis: Redis, name: Secret) -> bytes:
    """Return a secret of the ledger; the first caller generates it.

    Raises:
        Unavailable: Without Redis.
    """
    await redis.hsetnx(keyspace.META, name, secrets.token_hex(_BYTES))
    return bytes.fromhex(str(await redis.hget(keyspace.META, name)))


async def webhook_signer(redis: Redis) -> Signer:
    """Return the signer of this ledger's webhooks, the same on every instance.

    Raises:
        Unavailable: Without Redis.
    """
    seed = await secret(redis, "webhook_seed")
    ledger_id = await redis.hget(keyspace.META, "id")
    assert ledger_id, "the ledger must exist before webhooks are signed"
    return Signer(seed, str(ledger_id))
