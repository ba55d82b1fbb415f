"""State shared by all connections: admission, the deadline clock, and shutdown."""

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple, Protocol

from falgate.http.server.exchange import App, Exchange, Find
from falgate.http.server.framing import Field
from falgate.http.server.limits import Limits
from falgate.http.server.shortcut import Shortcut

_TICK_S = 0.5
_FRESH_S = 1.0
"""Time for a newly accepted connection to send its request during shutdown."""


class Connection(Protocol):
    """A connection; see `connection`."""

    @property
    def peer(self) -> str:
        """The client's address."""

    @property
    def deadline(self) -> float:
        """When the client must have sent more."""

    @property
    def unsent(self) -> float:
        """When the client must have read more of the waiting output; 0 if none waits."""

    def overdue(self, now: float) -> None:
        """Check the deadlines."""

    def end_if_idle(self, fresh_s: float) -> None:
        """Close the connection if it is idle."""

    def cut(self) -> None:
        """Close the connection now."""


class _Peer(NamedTuple):
    """The connections of one address, and the idle ones among them, oldest first."""

    connections: set[Connection]
    idle: dict[Connection, None]


class Connections:
    """All connections of the process, across listeners.

    Attributes:
        app: The ASGI application.
        limits: Limits and deadlines for clients.
        shortcut: Answers some requests before the application.
        date: The current Date header (RFC 9110 section 6.6.1).
        stopping: Whether every response closes its connection.
    """

    def __init__(
        self,
        app: App,
        limits: Limits,
        *,
        refused: Callable[[int], Sequence[Field]] = lambda _: (),
        unlimited: Iterable[str] = (),
        shortcut: Shortcut | None = None,
    ) -> None:
        """Start the clock.

        Args:
            app: An ASGI application.
            limits: Limits and deadlines for clients.
            refused: Called with the status of each of the server's own refusals; returns headers.
            unlimited: Addresses or networks of proxies, exempt from the limit per address.
            shortcut: Answers some requests before the application.
        """
        self.shortcut = shortcut
        self.app = app
        self.limits = limits
        self.refused = refused
        self.stopping = False
        self.date = b""
        self._unlimited = tuple(map(ipaddress.ip_network, unlimited))
        self._all: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: dict[Connection, None] = {}
        self._peers: dict[str, _Peer] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._timer: asyncio.TimerHandle | None = None
        self._tick()

    def close(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def count(self) -> int:
        """Number of connections."""
        return len(self._all)

    @property
    def requests(self) -> int:
        """Number of requests being served."""
        return len(self._tasks)

    @property
    def addresses(self) -> int:
        """Number of addresses that have connections."""
        return len(self._peers)

    @property
    def first_s(self) -> float:
        """Time for a new connection to begin its first request, seconds."""
        return _FRESH_S if self.stopping else self.limits.head_timeout_s

    # --- Admission --------------------------------------------------------------------------------

    def admit(self, connection: Connection) -> bool:
        """Admit a connection, evicting an idle one if necessary; False if there is no room.

        The oldest idle connection goes: one of the same address if that is at its limit, else of
        any.
        """
        network = _network(connection.peer)
        peer = self._peers.get(network)
        full = peer and len(peer.connections) >= self.limits.connections_per_address_max
        if peer and full and not self._is_unlimited(connection.peer) and not self._evict(peer.idle):
            return False
        if len(self._all) >= self.limits.connections_max and not self._evict(self._idle):
            return False
        self._all.add(connection)
        self._peers.setdefault(network, _Peer(set(), {})).connections.add(connection)
        self._empty.clear()
        return True

    def lost(self, connection: Connection) -> None:
        """Remove a connection that is gone or was never established."""
        if connection not in self._all:
            return
        self.busy(connection)
        self._all.discard(connection)
        network = _network(connection.peer)
        peer = self._peers[network]
        peer.connections.discard(connection)
        if not peer.connections:
            del self._peers[network]
        if not self._all:
            self._empty.set()

    def idle(self, connection: Connection) -> None:
        """Note that a connection waits for a request."""
        if connection not in self._all:
            return
        self._idle[connection] = None
        self._peers[_network(connection.peer)].idle[connection] = None

    def busy(self, connection: Connection) -> bool:
        """Note that a connection has work; return whether it was idle."""
        if connection not in self._idle:
            return False
        del self._idle[connection]
        del self._peers[_network(connection.peer)].idle[connection]
        return True

    def _evict(self, idle: dict[Connection, None]) -> bool:
        # One that is still sending its last response is spared: cutting it would truncate that.
        oldest = next((each for each in idle if not each.unsent), None)
        if oldest is None:
            return False
        oldest.cut()
        # Free its place now: `connection_lost` is only called in the loop's next turn.
        self.lost(oldest)
        return True

    def _is_unlimited(self, address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in self._unlimited)

    # --- Clock ------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Check all deadlines, twice a second; cheaper than a timer per connection."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_TICK_S, self._tick)
        self.date = b"date: " + formatdate(usegmt=True).encode()
        now = loop.time()
        for each in [each for each in self._all if each.deadline < now or each.unsent]:
            each.overdue(now)

    # --- Tasks and shutdown -----------------------------------------------------------------------

    def run(self, exchange: Exchange, find: Find | None = None) -> None:
        """Run a request's task, and keep a reference: the loop holds only weak ones."""
        task = asyncio.get_running_loop().create_task(exchange.run(self.app, find))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Accept no further requests and wait for those being served."""
        self.stopping = True
        for each in list(self._all):
            each.end_if_idle(_FRESH_S)
        await self._empty.wait()

    async def abort(self, timeout_s: float) -> None:
        """Cancel all requests, cut all connections, and wait up to `timeout_s` for the tasks."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for each in list(self._all):
            each.cut()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)


@lru_cache(4096)
def _network(address: str) -> str:
    """Return the key by which connections are counted: an IPv4 address or an IPv6 /64 network.

    A /64 is what one IPv6 customer is usually given.
    """
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
