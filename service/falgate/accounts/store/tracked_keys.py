"""App keys and the directory in memory, for as long as Redis has not said that they changed."""

# A hit needs keys that are followed, because its answer is kept: `TrackedKeys`. Every other request
# is glad of them, and asks Redis while they cannot be trusted: `KeysAtHand`.

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import Directory
from falgate.accounts.store.registry import RECORD, Registry
from falgate.core.errors import Unavailable
from falgate.redis import keyspace
from falgate.redis.clock import Clock
from falgate.redis.hot import HotCache
from falgate.redis.tracking import Tracking

_BYTES_MAX = 8 * 1024 * 1024
_DIRECTORY = keyspace.DIRECTORY.encode()


class TrackedKeys:
    """Looks up app keys, mostly without asking Redis.

    A revoked key works for `tracking.CURRENT_S` at most.
    """

    def __init__(self, tracking: Tracking, registry: Registry, clock: Clock) -> None:
        """Read keys by `tracking`, and teams and apps from `registry`; as of Redis's `clock`."""
        self._tracking = tracking
        self._registry = registry
        self._clock = clock
        self._records: HotCache[KeyRecord] = HotCache(_BYTES_MAX)
        self._directories: HotCache[Directory] = HotCache(_BYTES_MAX)
        tracking.listen(self._changed)

    def depends_on(self, key_id: str) -> tuple[bytes, bytes]:
        """Return the names of what `key` reads."""
        return keyspace.apikey(key_id).encode(), _DIRECTORY

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """Return one key, Redis's time in seconds, and all teams and apps.

        Raises:
            Unavailable: Without Redis, or if what is in memory may be outdated.
        """
        if not self._tracking.is_current:
            raise Unavailable("Redis cannot be reached; try again")
        record = self._records.get(key_id.encode()) or await self._read(key_id)
        directory = self._directories.get(_DIRECTORY) or await self._read_directory()
        return record, self._clock.now_s(), directory

    async def _read(self, key_id: str) -> KeyRecord | None:
        name = keyspace.apikey(key_id).encode()
        with self._records.reading(name) as read:
            found = await self._tracking.ask("HGET", name, RECORD)
            ledger = await self._tracking.ask("HGET", keyspace.META, "id")
        self._registry.check_own(ledger.decode() if ledger else None)
        if found is None:
            return None
        record = msgspec.json.decode(found, type=KeyRecord)
        self._records.put(key_id.encode(), record, len(found), read)
        return record

    async def _read_directory(self) -> Directory:
        with self._directories.reading(_DIRECTORY) as read:
            directory = await self._registry.directory()
        self._directories.put(_DIRECTORY, directory, 0, read)
        return directory

    def _changed(self, names: Iterable[bytes] | None) -> None:
        self._records.changed(names)
        self._directories.changed(names)


class KeysAtHand:
    """Looks up app keys in memory, or in Redis while those in memory may be outdated."""

    def __init__(self, tracked: TrackedKeys, registry: Registry) -> None:
        """Look into `tracked` first, and then into `registry`."""
        self._tracked = tracked
        self._registry = registry

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """As `TrackedKeys.key`; raises `Unavailable` only without Redis."""
        with suppress(Unavailable):
            return await self._tracked.key(key_id)
        return await self._registry.key(key_id)
