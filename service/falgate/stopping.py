"""A stop that was asked for: signals become events that are looked at.

A signal that cancelled the main task could get lost: whatever awaits below it may take the
cancellation for its own, as time-outs of libraries do. An event stays set.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Stop:
    """Whether this process was asked to end.

    Attributes:
        asked: By a first SIGINT or SIGTERM.
        hurried: By a second one: nothing is waited for any more.
        from_terminal: The first one was Ctrl-C: no balancer has to notice.
    """

    def __init__(self) -> None:
        """Take the signals from now on; needs a running loop."""
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()
        self.from_terminal = False
        self._starting: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.ask, number)

    def ask(self, number: int = signal.SIGTERM) -> None:
        """Ask for it, or ask again."""
        if self.asked.is_set():
            self.hurried.set()
        else:
            self.from_terminal = number == signal.SIGINT
        self.asked.set()
        if self._starting is not None:
            self._starting.cancel()

    @asynccontextmanager
    async def ends_start(self) -> AsyncIterator[None]:
        """Have a stop cancel what this task opens; and end in any case once it was asked for."""
        self._starting = asyncio.current_task()
        try:
            yield
        finally:
            self._starting = None

    async def wait(self, seconds: float, done: "asyncio.Task[None] | None" = None) -> None:
        """Wait, but not longer than until something is done or a second signal comes."""
        hurried = asyncio.create_task(self.hurried.wait())
        waited = [hurried, done] if done else [hurried]
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
