"""A filter that finds repeated ids in constant memory."""

from mmap import mmap

_BITS = 1 << 27
_PROBES = 4


class DuplicateFilter:
    """A Bloom filter of 16 MiB: never misses a repeat, and rarely suspects a new id.

    Attributes:
        suspects: Ids that came again, or seem to have; count them exactly in a second pass.
    """

    def __init__(self) -> None:
        self.suspects: set[str] = set()
        # Memory that is there when it is first written to; a small ledger needs little of it.
        self._seen = mmap(-1, _BITS // 8)

    def add(self, name: str) -> None:
        """Record an id, and suspect it if it seems to have come before."""
        both = hash(name) & 0xFFFF_FFFF_FFFF_FFFF
        at, step = both & 0xFFFF_FFFF, (both >> 32) | 1
        fresh, seen = False, self._seen
        for _ in range(_PROBES):
            place = at % _BITS
            bit = 1 << (place & 7)
            if not seen[place >> 3] & bit:
                seen[place >> 3] |= bit
                fresh = True
            at += step
        if not fresh:
            self.suspects.add(name)
