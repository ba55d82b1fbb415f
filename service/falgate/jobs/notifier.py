"""Wake-ups by id: who follows a request sleeps until something is said about it or its job."""

import asyncio
from collections import defaultdict

from falgate.core.errors import Unavailable


class Subscription:
    """Rings when one of its names is spoken of; what was said before it was slept on counts too."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.event = asyncio.Event()


class Notifier:
    """Those in this process who wait to be told.

    A wake-up may be lost, so that all of them look by themselves too, after a while.
    """

    def __init__(self) -> None:
        self._alarms: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._closed = False

    def wake(self, name: str) -> None:
        """Something happened to a job or a request."""
        for alarm in self._alarms.get(name, ()):
            alarm.event.set()

    def wake_all(self) -> None:
        """Anything may have happened: wake-ups may have been lost."""
        for name in tuple(self._alarms):
            self.wake(name)

    def close(self) -> None:
        """Let everybody go: this process is about to end."""
        self._closed = True
        self.wake_all()

    def set(self, name: str) -> Subscription:
        """An alarm that rings from now on; it has to be stopped in the end."""
        alarm = Subscription()
        self.extend(alarm, name)
        return alarm

    def extend(self, alarm: Subscription, name: str) -> None:
        """Let an alarm ring at this name too."""
        alarm.names.add(name)
        self._alarms[name].add(alarm)

    def stop(self, alarm: Subscription) -> None:
        """Forget an alarm."""
        for name in alarm.names:
            self._alarms[name].discard(alarm)
            if not self._alarms[name]:
                del self._alarms[name]

    async def sleep(self, alarm: Subscription, longest_s: float) -> None:
        """Until it rings, has rung, or for so long.

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
            raise Unavailable("falgate is restarting; ask again")
