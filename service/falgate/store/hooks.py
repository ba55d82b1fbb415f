"""The secret that completion hooks' addresses are proved with: the ledger's own, made once."""

import secrets

from redis.asyncio import Redis

from falgate.store import _keys
from falgate.store._reach import reaching

_BYTES = 32


async def hook_secret(redis: Redis) -> bytes:
    """Read it; whoever asks first makes it.

    Raises:
        Unavailable: Without Redis.
    """
    with reaching():
        await redis.hsetnx(_keys.META, "hook_secret", secrets.token_hex(_BYTES))
        return bytes.fromhex(str(await redis.hget(_keys.META, "hook_secret")))
