"""Builds what is kept in memory because Redis tells of its changes."""

import msgspec
from redis.asyncio import Redis

from falgate.accounts.store.registry import Registry
from falgate.accounts.store.tracked_keys import TrackedKeys
from falgate.cache.store.tracked_pools import TrackedPools
from falgate.redis import keyspace
from falgate.redis.clock import Clock
from falgate.redis.tracking import Tracking


class Tracked(msgspec.Struct, frozen=True):
    """What Redis tells the changes of.

    Attributes:
        tracking: The connection that is told; it has to run.
        keys: App keys, teams and apps.
        pools: Pools.
    """

    tracking: Tracking
    keys: TrackedKeys
    pools: TrackedPools


def track(redis: Redis, registry: Registry, clock: Clock) -> Tracked:
    """Build it."""
    tracking = Tracking(redis, keyspace.TRACKED, (keyspace.META, "id"), clock)
    keys = TrackedKeys(tracking, registry, clock)
    return Tracked(tracking, keys, TrackedPools(tracking, clock))
