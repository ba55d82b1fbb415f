"""A cache in this process's memory, bounded in bytes; changes of what it depends on empty it."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

V = TypeVar("V")

_OVERHEAD_BYTES = 1_000
"""What an entry costs beside its value: the dicts and sets that have it."""
_SPARED_MAX = 16
"""How many values that were asked for lately are passed over to find one that was not."""


class Read:
    """What a value that is being made depends on.

    Attributes:
        keys: Names of the keys that were read for it.
        overtaken: Whether one of them has changed since: what was read may be old.
    """

    __slots__ = ("_reads", "keys", "overtaken")

    def __init__(self, reads: "dict[bytes, list[Read]]") -> None:
        self._reads = reads
        self.keys: list[bytes] = []
        self.overtaken = False

    def of(self, *keys: bytes) -> None:
        """Add keys, before they are read."""
        for key in keys:
            self.keys.append(key)
            self._reads.setdefault(key, []).append(self)

    def end(self) -> None:
        """Stop watching."""
        for key in self.keys:
            self._reads[key].remove(self)
            if not self._reads[key]:
                del self._reads[key]


class _Entry(Generic[V]):
    __slots__ = ("keys", "size", "used", "value")

    def __init__(self, value: V, keys: Sequence[bytes], size: int) -> None:
        self.value = value
        self.keys = keys
        self.size = size
        self.used = False


class HotCache(Generic[V]):
    """Values by name. Each depends on keys of Redis, and is dropped when one of them changes.

    Without room, the oldest values go, and those that nobody has asked for lately before others
    (the "clock" algorithm, with a bound on what one call does).

    Attributes:
        size: Of all values, in bytes.
    """

    def __init__(self, bytes_max: int) -> None:
        """Keep up to `bytes_max` bytes; no value may take more than an eighth of it."""
        self.size = 0
        self._bytes_max = bytes_max
        self._entries: OrderedDict[bytes, _Entry[V]] = OrderedDict()
        self._dependent: dict[bytes, set[bytes]] = {}
        self._reads: dict[bytes, list[Read]] = {}

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._entries)

    def get(self, name: bytes) -> V | None:
        """Return a value, or None."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        entry.used = True
        return entry.value

    @contextmanager
    def reading(self, *keys: bytes) -> Iterator[Read]:
        """Watch these keys, and those that are added, while a value is made of them."""
        read = Read(self._reads)
        read.of(*keys)
        try:
            yield read
        finally:
            read.end()

    def put(self, name: bytes, value: V, size: int, read: Read) -> bool:
        """Keep a value of `size` bytes that depends on what was read.

        Return False if it is not kept, because the read was overtaken or the value is too large.
        """
        size += _OVERHEAD_BYTES
        if read.overtaken or size > self._bytes_max // 8:
            return False
        self.drop(name)
        self._make_room(size)
        self._entries[name] = _Entry(value, tuple(read.keys), size)
        self.size += size
        for key in read.keys:
            self._dependent.setdefault(key, set()).add(name)
        return True

    def drop(self, name: bytes) -> None:
        """Forget a value, if it is there."""
        entry = self._entries.pop(name, None)
        if entry is None:
            return
        self.size -= entry.size
        for key in entry.keys:
            names = self._dependent[key]
            names.discard(name)
            if not names:
                del self._dependent[key]

    def changed(self, keys: Iterable[bytes] | None) -> None:
        """Forget what depends on these keys; None: everything."""
        if keys is None:
            self._forget_all()
            keys = list(self._reads)
        for key in keys:
            for read in self._reads.get(key, ()):
                read.overtaken = True
            names = self._dependent.get(key, ())
            if len(names) == len(self._entries):
                self._forget_all()
            for name in tuple(names):
                self.drop(name)

    def _forget_all(self) -> None:
        self._entries.clear()
        self._dependent.clear()
        self.size = 0

    def _make_room(self, size: int) -> None:
        spared = 0
        while self.size + size > self._bytes_max:
            name, oldest = next(iter(self._entries.items()))
            if oldest.used and spared < _SPARED_MAX:
                spared += 1
                oldest.used = False
                self._entries.move_to_end(name)
            else:
                self.drop(name)
