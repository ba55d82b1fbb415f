"""Pools as a purchase sees them: which version was read, and by whose app."""

import msgspec


class PoolVersion(msgspec.Struct, frozen=True, order=True):
    """How much of a pool the caller knows: a flight that published more than this is news to it.

    Attributes:
        generation: Of the pool as read, or of a marker after which it was read again.
        count: Likewise.
    """

    generation: int = 0
    count: int = 0


class AppPool(msgspec.Struct, frozen=True):
    """A pool as one app uses it: whose places its requests under way take.

    Attributes:
        app: "team/app".
        fingerprint: Of the pool.
    """

    app: str
    fingerprint: str
