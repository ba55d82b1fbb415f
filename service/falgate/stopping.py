"""Requests to stop: signals set events, which are awaited."""

# Signals do not cancel the main task, because a cancellation could get lost: code that it awaits
# may take the cancellation for its own, as libraries' time-outs do. An event stays set.

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


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
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.ask, number)

    def ask(self, number: int = signal.SIGTERM) -> None:
        """Ask for a stop; asking again hurries it."""
        if self.asked.is_set():
            self.hurried.set()
        else:
            self.from_terminal = number == signal.SIGINT
        self.asked.set()
        if self._starting is not None:
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
