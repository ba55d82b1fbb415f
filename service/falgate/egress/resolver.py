"""DNS lookups of hosts that callers name, in threads of their own; each address is checked."""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

from falgate.egress.target import Rules

_THREADS = 4
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class TargetRefused(OSError):
    """A host has addresses, but none that may be connected to."""


class Resolver(AbstractResolver):
    """The system's resolver, in its own threads.

    The event loop's default threads are few and also resolve fal's names: a host whose name server
    hangs would block them all.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "egress-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return every address of a host."""
        look = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return [
            ResolveResult(
                hostname=host,
                host=str(at[0]),
                port=port,
                family=family,
                proto=protocol,
                flags=_NUMERIC,
            )
            for family, _, protocol, _, at in found
        ]

    async def close(self) -> None:
        """Stop the threads without waiting for running lookups."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """A resolver that returns only the addresses that the rules allow.

    It checks at every connection, so a name server that changes its answer gains nothing (DNS
    rebinding).
    """

    def __init__(self, rules: Rules, lookups: AbstractResolver) -> None:
        """Filter the results of `lookups` by `rules`."""
        self._rules = rules
        self._lookups = lookups

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the allowed addresses of a host.

        Raises:
            TargetRefused: The host has addresses, but none is allowed.
            OSError: The host has no address.
        """
        found = await self._lookups.resolve(host, port, family)
        admitted = [
            each for each in found if self._rules.allows(host, ipaddress.ip_address(each["host"]))
        ]
        if not found:
            raise OSError("this host has no address")
        if not admitted:
            raise TargetRefused("no address of this host is allowed")
        return admitted

    async def close(self) -> None:
        """Close the underlying resolver."""
        await self._lookups.close()


def socket_to(
    rules: Rules, address: tuple[int, int, int, str, tuple[object, ...]]
) -> socket.socket:
    """Create a socket for an address about to be connected to, after a last check of the address.

    aiohttp does not ask a resolver about IP addresses in URLs; this check covers those too.

    Raises:
        TargetRefused: The address is not allowed for any host.
    """
    family, kind, protocol, _, at = address
    if not rules.reaches(ipaddress.ip_address(str(at[0]))):
        raise TargetRefused("this address is not allowed")
    return socket.socket(family, kind, protocol)
