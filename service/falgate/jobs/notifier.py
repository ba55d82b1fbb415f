"""Notifications within one process: a waiter sleeps until its request or job changes.

They may be lost, so every waiter also looks by itself after a while.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from falgate.core.errors import Unavailable


def end_of(job_id: str) -> str:
    """Return the name whose subscribers care only for a job's end, or its trouble."""
    return f"end of {job_id}"


class Subscription:
    """Wakes when one of its names is notified; notifications before it sleeps count too."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.event = asyncio.Event()

    async def sleep(self, longest_s: float) -> bool:
        """Wait for a notification, at most `longest_s` seconds; return whether there was one."""
        try:
            async with asyncio.timeout(longest_s):
                await self.event.wait()
        except TimeoutError:
            return False
        return True


class Notifier:
    """The subscriptions of this process.

    Attributes:
        closing: Set when this process is about to end. Callers leave then; jobs go on.
    """

    def __init__(self) -> None:
        self.closing = asyncio.Event()
        self._alarms: defaultdict[str, set[Subscription]] = defaultdict(set)

    def wake(self, name: str) -> None:
        """Notify the subscribers of a job or a request."""
        for alarm in self._alarms.get(name, ()):
            alarm.event.set()

    def wake_all(self) -> None:
        """Notify all subscribers, because notifications may have been lost."""
        for name in tuple(self._alarms):
            self.wake(name)

    def close(self) -> None:
        """Wake all waiters because this process is about to end."""
        self.closing.set()
        self.wake_all()

    def set(self, name: str) -> Subscription:
        """Subscribe to a name; the caller must `stop` the subscription in the end."""
        alarm = Subscription()
        self.extend(alarm, name)
        return alarm

    @contextmanager
    def subscribed(self, name: str) -> Iterator[Subscription]:
        """Subscribe to a name for the duration of the block."""
        alarm = self.set(name)
        try:
            yield alarm
        finally:
            self.stop(alarm)

    def extend(self, alarm: Subscription, name: str) -> None:
        """Subscribe to another name too."""
        alarm.names.add(name)
        self._alarms[name].add(alarm)

    def stop(self, alarm: Subscription) -> None:
        """Cancel a subscription."""
        for name in alarm.names:
            self._alarms[name].discard(alarm)
            if not self._alarms[name]:
                del self._alarms[name]

    async def sleep(self, alarm: Subscription, longest_s: float) -> None:
        """Let a caller wait for a notification, at most `longest_s` seconds.

        Raises:
            Unavailable: This process is about to end.
        """
        if not self.closing.is_set():
            await alarm.sleep(longest_s)
        if self.closing.is_set():
            raise Unavailable("falgate is restarting; try again")
