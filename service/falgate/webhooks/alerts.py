"""The alert worker: logs, counts and sends each alert at least once, from whichever instance."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Protocol

from falgate.core.events import Alert, AlertFailed
from falgate.redis.retry import every

_EVERY_S = 2.0
_PAUSES_S = (10, 30, 120, 600, 1_800, 3_600)
_GIVEN_UP_S = 86_400
_NOTED_MAX = 10_000


class AlertQueue(Protocol):
    """Alerts not yet handled. Methods raise `Unavailable` without Redis; the alerts stay queued."""

    async def new(self) -> Sequence[Alert]:
        """Return alerts that no instance has taken yet."""

    async def again(self, pauses_s: Sequence[int]) -> Sequence[Alert]:
        """Return alerts taken n times, the last time longer ago than `pauses_s[n - 1]` seconds."""

    async def warn(self, upstream: str) -> None:
        """Queue an alert that an upstream's balance is exhausted, at most once an hour."""

    async def done(self, alert: Alert) -> None:
        """Delete an alert."""

    async def now_s(self) -> int:
        """Return Redis's clock, seconds."""


class AlertHook(Protocol):
    """The operator's alert webhook. Never raises."""

    async def send(self, alert: Alert, now_s: int) -> str:
        """Send one alert; return the problem, or ""."""


class AlertFacts(Protocol):
    """Metrics and logs of alerts. Never raises."""

    def alerted(self, event: Alert) -> None:
        """Record a new alert."""

    def untold(self, event: AlertFailed) -> None:
        """Record that an alert could not be sent."""

    def unpaid(self) -> Collection[str]:
        """Return the upstreams that refused for lack of balance since the last call."""


class AlertWorker:
    """Handles new alerts, and retries those that could not be sent, for a day."""

    def __init__(
        self,
        queue: AlertQueue,
        hook: AlertHook | None,
        facts: AlertFacts,
        *,
        pauses_s: Sequence[int] = _PAUSES_S,
    ) -> None:
        """Without a hook, an alert is done once it is logged and counted."""
        self._queue = queue
        self._hook = hook
        self._facts = facts
        self._pauses_s = pauses_s
        self._noted: OrderedDict[str, None] = OrderedDict()

    async def run(self) -> None:
        """Poll until cancelled."""
        # Without Redis nothing is spent, and alerts queued before stay in Redis.
        await every(_EVERY_S, self.look)

    async def look(self) -> None:
        """Handle the alerts that are queued or due for a retry now.

        Raises:
            Unavailable: Without Redis.
        """
        for upstream in self._facts.unpaid():
            await self._queue.warn(upstream)
        alerts = (*await self._queue.new(), *await self._queue.again(self._pauses_s))
        for alert in alerts:
            if alert.alert not in self._noted:
                # A retried alert may have been taken by an instance that died before logging it.
                self._noted[alert.alert] = None
                self._facts.alerted(alert)
        while len(self._noted) > _NOTED_MAX:
            self._noted.popitem(last=False)
        # Sent concurrently, so that a slow response does not delay the other alerts.
        sent = await asyncio.gather(*map(self._send, alerts), return_exceptions=True)
        for failure in sent:
            if failure is not None:
                raise failure

    async def _send(self, alert: Alert) -> None:
        if self._hook is None:
            await self._queue.done(alert)
            return
        now_s = await self._queue.now_s()
        problem = await self._hook.send(alert, now_s)
        lost = bool(problem) and now_s - _crossed_s(alert) >= _GIVEN_UP_S
        if problem:
            self._facts.untold(AlertFailed(alert=alert.alert, problem=problem, lost=lost))
        if lost or not problem:
            await self._queue.done(alert)


def _crossed_s(alert: Alert) -> int:
    """Return when an alert was queued, seconds: its stream id begins with Redis's milliseconds."""
    return int(alert.alert.partition("-")[0]) // 1000
