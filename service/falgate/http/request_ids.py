"""Ids of requests that are answered at once, made in series: they need no system call each."""

import random
import uuid
from collections.abc import Iterator

_SERIES = 4_096
_LAST = 12
"""Digits of a UUID's last group, 48 bits."""


def request_ids() -> Iterator[bytes]:
    """Yield UUIDs of version 4 that are unique: random, and counted on within a series."""
    while True:
        start = str(uuid.uuid4())[:-_LAST].encode()
        first = random.getrandbits(47)
        for number in range(first, first + _SERIES):
            yield b"%b%012x" % (start, number)
