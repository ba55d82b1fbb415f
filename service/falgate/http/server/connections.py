"""What all connections share: room for them, one clock, and the stop."""

import asyncio
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple, Protocol

from falgate.http.server.exchange import App, Exchange
from falgate.http.server.framing import Field
from falgate.http.server.limits import Limits

_TICK_S = 0.5
_FRESH_S = 1.0
"""What a connection that was just accepted has in a stop to bring its request."""


class Connection(Protocol):
    """One of them; see `connection`."""

    @property
    def peer(self) -> str:
        """The client's address."""

    @property
    def deadline(self) -> float:
        """When the client has had its time."""

    @property
    def unsent(self) -> float:
        """When it must have taken more of what waits for it; 0 where nothing waits."""

    def overdue(self, now: float) -> None:
        """Look whether the client has had its time."""

    def end_if_idle(self, fresh_s: float) -> None:
        """Wait for no further request."""

    def cut(self) -> None:
        """End now."""


class _Peer(NamedTuple):
    """An address that has connections: which, and which of them are idle, oldest first."""

    connections: set[Connection]
    idle: dict[Connection, None]


class Connections:
    """All connections of a process, to every listener.

    Attributes:
        app: What answers.
        limits: What clients are held to.
        date: The Date header of now (RFC 9110 section 6.6.1).
        stopping: Every answer is its connection's last.
    """

    def __init__(
        self,
        app: App,
        limits: Limits,
        *,
        refused: Callable[[int], Sequence[Field]] = lambda _: (),
        unlimited: Iterable[str] = (),
    ) -> None:
        """Share out room.

        Args:
            app: An ASGI application.
            limits: What clients are held to.
            refused: Told the status of each refusal of the server's own; headers to add to it.
            unlimited: Addresses or networks that may have any number of connections: proxies.
        """
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
        """Connections that there are."""
        return len(self._all)

    @property
    def requests(self) -> int:
        """Requests that are being answered."""
        return len(self._tasks)

    @property
    def addresses(self) -> int:
        """Addresses that have connections."""
        return len(self._peers)

    @property
    def first_s(self) -> float:
        """What a new connection has to begin its first request."""
        return _FRESH_S if self.stopping else self.limits.head_timeout_s

    # --- Room -------------------------------------------------------------------------------------

    def admit(self, connection: Connection) -> bool:
        """Give a new connection its place, unless there is none, not even that of an idle one.

        The oldest idle connection makes room: of the same address where that has its share, else
        of all.
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
        """A connection is gone, or never came about."""
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
        """A connection waits for a request."""
        if connection not in self._all:
            return
        self._idle[connection] = None
        self._peers[_network(connection.peer)].idle[connection] = None

    def busy(self, connection: Connection) -> bool:
        """A connection has something to do; whether it was idle."""
        if connection not in self._idle:
            return False
        del self._idle[connection]
        del self._peers[_network(connection.peer)].idle[connection]
        return True

    def _evict(self, idle: dict[Connection, None]) -> bool:
        # Not one whose last answer is still on its way: cutting it would cut that off.
        oldest = next((each for each in idle if not each.unsent), None)
        if oldest is None:
            return False
        oldest.cut()
        # Its place is free now; that it is lost is told in the loop's next turn.
        self.lost(oldest)
        return True

    def _is_unlimited(self, address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in self._unlimited)

    # --- Time -------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Twice a second, for all connections: cheaper than timers of their own."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_TICK_S, self._tick)
        self.date = b"date: " + formatdate(usegmt=True).encode()
        now = loop.time()
        for each in [each for each in self._all if each.deadline < now or each.unsent]:
            each.overdue(now)

    # --- Work and the stop ------------------------------------------------------------------------

    def run(self, exchange: Exchange) -> None:
        """Have a request answered; the loop itself would forget a task that waits."""
        task = asyncio.get_running_loop().create_task(exchange.run(self.app))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Serve nothing more, and wait until what is under way has ended."""
        self.stopping = True
        for each in list(self._all):
            each.end_if_idle(_FRESH_S)
        await self._empty.wait()

    async def abort(self, timeout_s: float) -> None:
        """Cancel what is under way, cut all connections, and wait a little for both."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for each in list(self._all):
            each.cut()
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)


@lru_cache(4096)
def _network(address: str) -> str:
    """Who is counted as one: an IPv4 address, or an IPv6 /64, which one customer is given."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
