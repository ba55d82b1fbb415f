"""Caches authentication for 0.5 s on routes that are polled. Purchases always authenticate.

So a revoked key can poll for up to 0.5 s more, well within the second that revoking may take.
"""

import asyncio
import hashlib

from falgate.jobs.admission import Caller
from falgate.jobs.authentication import Found, identify
from falgate.jobs.ports import Ports

_REMEMBERED_S = 0.5
_KNOWN_MAX = 10_000


class AuthCache:
    """The callers that this process has just authenticated."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        # By digest, so that no key is kept. All are cached for equally long, so the oldest is
        # first.
        self._known: dict[bytes, tuple[float, Caller]] = {}

    async def identify(self, authorization: str | None, address: str, found: Found) -> Caller:
        """Identify a caller as `authentication.identify` does; raises the same errors."""
        now_s = asyncio.get_running_loop().time()
        name = hashlib.sha256(f"{address} {authorization or ''}".encode()).digest()
        self._forget(now_s)
        if known := self._known.get(name):
            found(known[1].key)
            return known[1]
        caller = await identify(self._ports, authorization, address, found)
        self._known.pop(name, None)
        self._known[name] = (now_s + _REMEMBERED_S, caller)
        return caller

    def _forget(self, now_s: float) -> None:
        while self._known:
            oldest = next(iter(self._known))
            if self._known[oldest][0] > now_s and len(self._known) < _KNOWN_MAX:
                return
            del self._known[oldest]
