"""Pools as a purchase refers to them: by the version that was read, and by the app that reads."""

import msgspec


class PoolVersion(msgspec.Struct, frozen=True, order=True):
    """The version of a pool as a caller read it; if a newer one is published, it must read again.

    Attributes:
        generation: Of the pool as read, or of a marker after which it was read again.
        count: Number of its pictures, likewise.
    """

    generation: int = 0
    count: int = 0


class AppPool(msgspec.Struct, frozen=True):
    """A pool as used by one app, whose open requests take places in it.

    Attributes:
        app: "team/app".
        fingerprint: Of the pool.
    """

    app: str
    fingerprint: str
