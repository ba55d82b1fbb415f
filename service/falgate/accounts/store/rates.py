"""Rates: requests by the second, counted over all instances."""

from collections.abc import Mapping

from redis.asyncio import Redis

from falgate.accounts.limits import Exceeded
from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

_TAKE = Script("rates_take")


class Rates:
    """Every account's rate of requests."""

    def __init__(self, redis: Redis) -> None:
        """Count in this Redis."""
        self._redis = redis

    async def take(self, limited: Mapping[str, int]) -> Exceeded | None:
        """Count a request of each account, or of none where one has no room.

        A repeat after a lost reply counts twice: that guards no money.

        Args:
            limited: Requests allowed in a second, by the account's name; none of them 0.

        Raises:
            Unavailable: Without Redis.
        """
        accounts = list(limited)
        with translate_errors():
            reply = await _TAKE(
                self._redis,
                more_keys=[keyspace.rate(account) for account in accounts],
                more_args=list(limited.values()),
            )
        if not reply:
            return None
        account = accounts[int(reply[0])]
        return Exceeded(account, "requests_per_second", limited[account], int(reply[1]))
