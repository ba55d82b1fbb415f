"""Request rates: requests per second, counted over all instances."""

from collections.abc import Mapping

from redis.asyncio import Redis

from falgate.accounts.limits import Exceeded
from falgate.redis import keyspace
from falgate.redis.script import Script

_TAKE = Script("rates_take")


class Rates:
    """Request rates of all accounts."""

    def __init__(self, redis: Redis) -> None:
        """Count in this Redis."""
        self._redis = redis

    async def take(self, limited: Mapping[str, int]) -> Exceeded | None:
        """Count a request against each account, or against none if one has reached its limit.

        A retry after a lost reply counts twice, which is harmless: no money depends on it.

        Args:
            limited: Requests allowed per second, by account name; none is 0.

        Raises:
            Unavailable: Without Redis.
        """
        accounts = list(limited)
        reply = await _TAKE(
            self._redis,
            more_keys=[keyspace.rate(account) for account in accounts],
            more_args=list(limited.values()),
        )
        if not reply:
            return None
        account = accounts[int(reply[0])]
        return Exceeded(account, "requests_per_second", limited[account], int(reply[1]))
