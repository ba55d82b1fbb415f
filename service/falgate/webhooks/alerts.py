"""Alerts: each is logged, counted and sent, at least once, whichever instance does it."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Protocol

from falgate.core.errors import Unavailable
from falgate.core.events import Alerted, AlertFailed

_EVERY_S = 2.0
_PAUSES_S = (10, 30, 120, 600, 1_800, 3_600)
_GIVEN_UP_S = 86_400
_NOTED_MAX = 10_000


class AlertQueue(Protocol):
    """Alerts that are not told yet. Without Redis: `Unavailable`, and they stay there."""

    async def new(self) -> Sequence[Alerted]:
        """Alerts that nobody took yet."""

    async def again(self, pauses_s: Sequence[int]) -> Sequence[Alerted]:
        """Alerts taken so many times, the n-th time longer ago than `pauses_s[n - 1]`."""

    async def warn(self, upstream: str) -> None:
        """Put an alert there that an upstream's balance is exhausted: once an hour, by whomever."""

    async def done(self, alert: Alerted) -> None:
        """Forget an alert."""

    async def now_s(self) -> int:
        """Redis's clock."""


class AlertHook(Protocol):
    """Whom alerts are sent to. Never raises."""

    async def send(self, alert: Alerted, now_s: int) -> str:
        """Send one; what stood in the way, or ""."""


class AlertFacts(Protocol):
    """Metrics and logs. Never raises."""

    def alerted(self, event: Alerted) -> None:
        """A budget reached a threshold, or refused a purchase."""

    def untold(self, event: AlertFailed) -> None:
        """An alert did not reach whom it is for."""

    def unpaid(self) -> Collection[str]:
        """Upstreams that have refused for want of balance since this was asked last."""


class AlertWorker:
    """Tells alerts as they come, and those that did not arrive again, for a day."""

    def __init__(
        self,
        queue: AlertQueue,
        hook: AlertHook | None,
        facts: AlertFacts,
        *,
        pauses_s: Sequence[int] = _PAUSES_S,
    ) -> None:
        """Without a hook, an alert is told when it is logged and counted."""
        self._queue = queue
        self._hook = hook
        self._facts = facts
        self._pauses_s = pauses_s
        self._noted: OrderedDict[str, None] = OrderedDict()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            # Without Redis nothing is spent; what was crossed before waits there.
            with suppress(Unavailable):
                await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Tell what is there now.

        Raises:
            Unavailable: Without Redis.
        """
        for upstream in self._facts.unpaid():
            await self._queue.warn(upstream)
        alerts = (*await self._queue.new(), *await self._queue.again(self._pauses_s))
        for alert in alerts:
            if alert.alert not in self._noted:
                # Also one that somebody else took, who may have died before noting it.
                self._noted[alert.alert] = None
                self._facts.alerted(alert)
        while len(self._noted) > _NOTED_MAX:
            self._noted.popitem(last=False)
        # All at once: who takes one slowly keeps no other one back.
        sent = await asyncio.gather(*map(self._send, alerts), return_exceptions=True)
        for failure in sent:
            if failure is not None:
                raise failure

    async def _send(self, alert: Alerted) -> None:
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


def _crossed_s(alert: Alerted) -> int:
    """When it crossed: an entry's id begins with Redis's milliseconds."""
    return int(alert.alert.partition("-")[0]) // 1000
