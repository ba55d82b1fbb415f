"""Wrong keys: an address that presents many is refused before its next ones are looked up.

A token bucket for each address, in this process. While it is empty, a key is looked up only if it
opened lately, or if the registry has its id; all ids are then read together, at most once each
`_READ_AGAIN_S`, however many ask. So good keys of the same address go on working.
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
"""Whoever has one address of such a network has all of them."""


class Ids(Protocol):
    """The registry, as far as it is needed here. Without Redis: `Unavailable`."""

    async def ids(self) -> frozenset[str]:
        """Public ids of all keys."""


class WrongKeys:
    """What each address, and each key's id, may still get wrong."""

    def __init__(
        self, registry: Ids | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask this registry who is known, if there is one; count seconds by this clock."""
        self._registry = registry
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._good: dict[str, None] = {}
        self._ids: frozenset[str] = frozenset()
        self._read_s = float("-inf")

    def wrong(self, address: str, key_id: str = "") -> None:
        """One was wrong; `key_id` where there is such a key, with another secret.

        Raises:
            TooMany: They were too many before.
        """
        name = _network(address)
        if key_id:
            self._count(key_id)
        self._check(name)
        self._count(name)

    async def check(self, address: str, presented: Presented) -> None:
        """Nothing, if a key may be looked up.

        Raises:
            TooMany: Too many of this address were wrong, and this one is not known to be good.
            Unavailable: Without Redis.
        """
        name = _network(address)
        if self._tokens(name) >= 1 or presented.digest in self._good:
            return
        if self._registry and self._clock() - self._read_s >= _READ_AGAIN_S:
            self._read_s = self._clock()
            self._ids = await self._registry.ids()
        if presented.id not in self._ids or self._tokens(presented.id) < 1:
            self._check(name)

    def right(self, presented: Presented) -> None:
        """One opened: until it is looked up again, it is taken for good."""
        if presented.digest not in self._good:
            _make_room(self._good, _GOOD_MAX)
            self._good[presented.digest] = None

    def _check(self, name: str) -> None:
        missing = 1 - self._tokens(name)
        if missing > 0:
            raise TooMany(
                "Too many keys from this address were wrong; the right one still opens",
                max(1, math.ceil(missing / _A_SECOND)),
            )

    def _count(self, name: str) -> None:
        tokens = self._tokens(name) - 1
        self._left.pop(name, None)  # the newest stand last
        _make_room(self._left, _ADDRESSES_MAX)
        self._left[name] = (max(0.0, tokens), self._clock())

    def _tokens(self, name: str) -> float:
        left, at_s = self._left.get(name, (_BURST, 0.0))
        return min(_BURST, left + (self._clock() - at_s) * _A_SECOND)


def _make_room(kept: dict[str, Any], most: int) -> None:
    """Forget the oldest where there is no room for one more."""
    while len(kept) >= most:
        del kept[next(iter(kept))]


def _network(address: str) -> str:
    """Whom an address counts for: itself, or in IPv6 the network that it is in."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], _IPV6_PREFIX), strict=False))
    except ValueError:
        return address
