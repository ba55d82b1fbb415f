"""Throttle for wrong keys: addresses that present many are refused before a look-up.

Each address has a token bucket in this process. While it is empty, a key is looked up only if it
worked recently, or if the registry has its id; to check that, all ids are read together, at most
once every `_READ_AGAIN_S` seconds. So valid keys from the same address continue to work.
"""

import ipaddress
import math
import time
from collections.abc import Callable
from typing import Any, Protocol

from falgate.accounts.apikey import Presented
from falgate.core.errors import TooMany

_BURST, _A_SECOND = 100.0, 10.0
_ADDRESSES_MAX = 10_000
_GOOD_MAX = 10_000
_READ_AGAIN_S = 0.25
_IPV6_PREFIX = 64
"""Whoever has one address of such a network usually has all of them."""


class Ids(Protocol):
    """The part of the registry that is needed here. Raises `Unavailable` without Redis."""

    async def ids(self) -> frozenset[str]:
        """Return the public ids of all keys."""


class WrongKeys:
    """Token buckets of wrong attempts, for each address and each key id."""

    def __init__(
        self,
        registry: Ids | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        workers: int = 1,
    ) -> None:
        """Check ids against `registry`, if given; read seconds from `clock`.

        Allow one of several workers its share.
        """
        self._burst, self._a_second = max(1.0, _BURST / workers), _A_SECOND / workers
        self._registry = registry
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._good: dict[str, None] = {}
        self._ids: frozenset[str] = frozenset()
        self._read_s = float("-inf")

    def wrong(self, address: str, key_id: str = "") -> None:
        """Count a wrong key; `key_id` is given if the key exists and only its secret was wrong.

        Raises:
            TooMany: The address had used up its wrong attempts before.
        """
        name = _network(address)
        if key_id:
            self._count(key_id)
        self._check(name)
        self._count(name)

    async def check(self, address: str, presented: Presented) -> None:
        """Check that a key from an address may be looked up.

        Raises:
            TooMany: The address has used up its wrong attempts, and the key is not known to be
                valid.
            Unavailable: Without Redis.
        """
        name = _network(address)
        if self._tokens(name) >= 1 or self.knows(presented):
            return
        if self._registry and self._clock() - self._read_s >= _READ_AGAIN_S:
            self._read_s = self._clock()
            self._ids = await self._registry.ids()
        if presented.id not in self._ids or self._tokens(presented.id) < 1:
            self._check(name)

    def knows(self, presented: Presented) -> bool:
        """Return whether a key has worked before."""
        return presented.digest in self._good

    def right(self, presented: Presented) -> None:
        """Remember a key that worked, so that its look-ups stay exempt from the throttle."""
        if presented.digest not in self._good:
            _make_room(self._good, _GOOD_MAX)
            self._good[presented.digest] = None

    def _check(self, name: str) -> None:
        missing = 1 - self._tokens(name)
        if missing > 0:
            raise TooMany(
                "Too many invalid keys from this address; a valid key still works",
                max(1, math.ceil(missing / self._a_second)),
            )

    def _count(self, name: str) -> None:
        tokens = self._tokens(name) - 1
        self._left.pop(name, None)  # keep the dict ordered by last use
        _make_room(self._left, _ADDRESSES_MAX)
        self._left[name] = (max(0.0, tokens), self._clock())

    def _tokens(self, name: str) -> float:
        left, at_s = self._left.get(name, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - at_s) * self._a_second)


def _make_room(kept: dict[str, Any], most: int) -> None:
    """Drop the oldest entries until there is room for one more."""
    while len(kept) >= most:
        del kept[next(iter(kept))]


def _network(address: str) -> str:
    """Return what an address is counted as: itself, or its network in IPv6."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], _IPV6_PREFIX), strict=False))
    except ValueError:
        return address
