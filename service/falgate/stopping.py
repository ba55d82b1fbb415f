"""Requests to stop: signals set events, which are awaited."""

# Signals do not cancel the main task, because a cancellation could get lost: code that it awaits
# may take the cancellation for its own, as libraries' time-outs do. An event stays set.

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_ORDERS_MAX = 64
_ARE_YOU_THERE = 0


class Stop:
    """Whether this process was asked to stop.

    Attributes:
        asked: Set by the first SIGINT or SIGTERM.
        hurried: Set by the second one: all waiting is skipped.
        from_terminal: Whether the first was Ctrl-C, so that no load balancer needs to notice.
    """

    def __init__(self) -> None:
        """Handle the signals from now on; needs a running loop."""
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()
        self.from_terminal = False
        self._starting: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._listen()

    def _listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self.ask, number)

    def on_hang_up(self, act: Callable[[], None]) -> None:
        """Call this at each SIGHUP from now on."""
        self._loop.add_signal_handler(signal.SIGHUP, act)

    @property
    def at_once(self) -> bool:
        """Whether a process that is starting should not even begin to serve."""
        return self.asked.is_set()

    def ask(self, number: int = signal.SIGTERM) -> None:
        """Ask for a stop; asking again hurries it."""
        if self.asked.is_set():
            self.hurried.set()
        else:
            self.from_terminal = number == signal.SIGINT
        self.asked.set()
        if self._starting is not None and self.at_once:
            self._starting.cancel()

    @asynccontextmanager
    async def ends_start(self) -> AsyncIterator[None]:
        """Let a stop cancel this task while it is in the block."""
        self._starting = asyncio.current_task()
        try:
            yield
        finally:
            self._starting = None

    async def wait(self, seconds: float, done: "asyncio.Task[None] | None" = None) -> None:
        """Wait up to `seconds`, or until `done` or a second signal."""
        hurried = asyncio.create_task(self.hurried.wait())
        waited = [hurried, done] if done else [hurried]
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()


class RelayedStop(Stop):
    """Whether a worker was asked to stop, by its parent: signals that reach it itself do nothing.

    Attributes:
        orphaned: Whether the parent is gone, which asks for a stop too.
    """

    def __init__(self, parent: socket.socket, here: Callable[[], None], *, joins: bool) -> None:
        """Take the numbers of signals, a byte each, from the parent.

        Args:
            parent: Sends them.
            here: Called when it asks, by 0, whether this process is there.
            joins: Whether other workers serve already. Callers may then wait for this one, which
                serves them even if it is asked to stop while it starts.
        """
        self.orphaned = False
        self._joins = joins
        self._parent = parent
        self._here = here
        self._hang_up: Callable[[], None] = lambda: None
        super().__init__()

    @property
    def at_once(self) -> bool:
        """Whether a process that is starting should not even begin to serve."""
        return self.hurried.is_set() if self._joins else super().at_once

    def _listen(self) -> None:
        self._parent.setblocking(False)
        self._loop.add_reader(self._parent, self._hear)

    def on_hang_up(self, act: Callable[[], None]) -> None:
        """Call this at each SIGHUP from now on."""
        self._hang_up = act

    def _hear(self) -> None:
        try:
            numbers = self._parent.recv(_ORDERS_MAX)
        except BlockingIOError:
            return
        except ConnectionError:
            numbers = b""
        for number in numbers:
            if number == _ARE_YOU_THERE:
                self._here()
            elif number == signal.SIGHUP:
                self._hang_up()
            else:
                self.ask(number)
        if not numbers:
            self._loop.remove_reader(self._parent)
            self.orphaned = True
            if not self.asked.is_set():
                self.ask()
