"""Acquaintances: callers who were identified a moment ago, for routes that are asked all the time.

Only looks are let through so, never a purchase. A key that was revoked is good for as long as this
remembers it, which is well under the second that revoking may take.
"""

import asyncio

from falgate.flow.admission import Caller, Found, identify
from falgate.flow.ports import Ports

_REMEMBERED_S = 0.5
_KNOWN_MAX = 10_000


class Acquaintances:
    """Whom this process has just identified."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._known: dict[tuple[str | None, str], tuple[float, Caller]] = {}

    async def identify(self, authorization: str | None, address: str, found: Found) -> Caller:
        """As `admission.identify`; raises what that raises."""
        now_s = asyncio.get_running_loop().time()
        known = self._known.get((authorization, address))
        if known and known[0] > now_s:
            found(known[1].key)
            return known[1]
        caller = await identify(self._ports, authorization, address, found)
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[authorization, address] = (now_s + _REMEMBERED_S, caller)
        return caller
