"""Which ids may have come twice: found in memory that does not grow with how many there are."""

_BITS = 1 << 27
_PROBES = 4


class DuplicateFilter:
    """A Bloom filter of 16 MiB: never misses a repeat, and rarely suspects an id that is new.

    Attributes:
        suspects: Ids that came again, or look as if; to be counted exactly in a second reading.
    """

    def __init__(self) -> None:
        self.suspects: set[str] = set()
        self._seen = bytearray(_BITS // 8)

    def add(self, name: str) -> None:
        """Take note of one."""
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
