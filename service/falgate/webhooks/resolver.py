"""Addresses of hosts that callers name: looked up apart from all else, and checked when used."""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

from falgate.webhooks.target import Rules

_THREADS = 4
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class TargetRefused(OSError):
    """No address of a host may be connected to."""


class Resolver(AbstractResolver):
    """The system's resolver, in threads of its own.

    The loop's are few, and fal's own names are looked up there: a caller whose name server does not
    answer would keep them all.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of a host."""
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
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """Only those addresses of a host that the rules admit, whatever its name server says by now."""

    def __init__(self, rules: Rules, lookups: AbstractResolver) -> None:
        """Check by `rules` what `lookups` find."""
        self._rules = rules
        self._lookups = lookups

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses that may be connected to.

        Raises:
            TargetRefused: There are some, and none of these.
            OSError: There are none.
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
        """Close the lookups."""
        await self._lookups.close()


def socket_to(
    rules: Rules, address: tuple[int, int, int, str, tuple[object, ...]]
) -> socket.socket:
    """A socket for an address that is connected to next: the last look, however it was found.

    Raises:
        TargetRefused: Nobody may go there.
    """
    family, kind, protocol, _, at = address
    if not rules.reaches(ipaddress.ip_address(str(at[0]))):
        raise TargetRefused("this address is not allowed")
    return socket.socket(family, kind, protocol)
