"""Notifications within one process: a waiter sleeps until its request or job changes."""

import asyncio
from collections import defaultdict

from falgate.core.errors import Unavailable


class Subscription:
    """Wakes when one of its names is notified; notifications before it sleeps count too."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.event = asyncio.Event()


class Notifier:
    """The subscriptions of this process.

    Notifications may be lost, so every waiter also looks by itself after a while.
    """

    def __init__(self) -> None:
        self._alarms: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._closed = False

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
        self._closed = True
        self.wake_all()

    def set(self, name: str) -> Subscription:
        """Subscribe to a name; the caller must `stop` the subscription in the end."""
        alarm = Subscription()
        self.extend(alarm, name)
        return alarm

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
        """Wait for a notification, at most `longest_s` seconds; one that came before counts.

        Raises:
            Unavailable: This process is about to end.
        """
        if not self._closed:
            try:
                async with asyncio.timeout(longest_s):
                    await alarm.event.wait()
            except TimeoutError:
                pass
        if self._closed:
            raise Unavailable("falgate is restarting; try again")
