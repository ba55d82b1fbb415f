"""Looks after models that end: warns operators in time, and keeps their pictures for ever.

It also tells them of models that an upstream changed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

from falgate.accounts.directory import Directory, Gone, gone_name
from falgate.accounts.retirement import days_left, retires, successor
from falgate.core.events import ModelAlerted
from falgate.models.spec import ModelSpec
from falgate.redis.retry import every

_EVERY_S = 2.0
_HOUR_S, _DAY_S = 3_600, 86_400
DAYS_BEFORE = (90, 30, 7, 0)
"""How many days before a model ends an alert is sent, if an app still calls it."""
_CALLED_DAYS = 30


class ModelAlerts(Protocol):
    """The alert queue. Methods raise `Unavailable` without Redis."""

    async def once(self, name: str, alert: ModelAlerted) -> bool:
        """Queue an alert, unless one of this name was queued before."""

    async def told(self, name: str) -> bool:
        """Return whether an alert of this name was queued before."""

    async def turn(self, of: str, lease_s: int) -> bool:
        """Return whether this instance is the one that looks after `of` for the next seconds."""

    async def now_s(self) -> int:
        """Return Redis's clock, seconds."""


class Callers(Protocol):
    """Who called which model."""

    async def callers(self, upstream: str, days: int) -> Mapping[str, Sequence[str]]:
        """Return the apps, "team/app", that called each model in the last days."""


class RetirementWatch:
    """Looks after the models of one upstream; of all instances, one does at a time."""

    def __init__(
        self,
        models: Mapping[str, ModelSpec],
        upstream: str,
        directory: Callable[[], Awaitable[Directory]],
        *,
        callers: Callers,
        alerts: ModelAlerts,
        keep: Callable[[str], Awaitable[None]],
    ) -> None:
        """Look after models.

        Args:
            models: By endpoint.
            upstream: Name of the upstream of live keys.
            directory: Reads what operators decided, and what upstreams said.
            callers: Tells which apps call a model.
            alerts: Where alerts are queued.
            keep: Keeps all pictures of a model for ever.
        """
        self._models = models
        self._upstream = upstream
        self._directory = directory
        self._callers = callers
        self._alerts = alerts
        self._keep = keep

    async def run(self) -> None:
        """Look after them until cancelled."""
        await every(_EVERY_S, self.look)

    async def look(self) -> None:
        """Queue the alerts that are due, and keep the pictures of models that have ended.

        Raises:
            Unavailable: Without Redis. The next look makes up for it.
        """
        directory = await self._directory()
        for endpoint, spec in self._models.items():
            if gone := directory.gone.get(gone_name(self._upstream, endpoint)):
                await self._tell_gone(spec, gone, directory)
        if not await self._alerts.turn("all", _HOUR_S):
            return
        now_s = await self._alerts.now_s()
        callers: Mapping[str, Sequence[str]] | None = None
        for endpoint, spec in self._models.items():
            day = retires(spec, directory, self._upstream)
            left = None if day is None else days_left(day, now_s)
            if day and left is not None and left <= max(DAYS_BEFORE):
                callers = callers or await self._callers.callers(self._upstream, _CALLED_DAYS)
                await self._tell(spec, day, left, callers.get(endpoint, ()), directory)
            gone = directory.gone.get(gone_name(self._upstream, endpoint))
            over = left is not None and left <= 0
            if over or (gone is not None and now_s >= gone.since_s + _DAY_S):
                await self._keep_all(endpoint)

    async def _tell_gone(self, spec: ModelSpec, gone: Gone, directory: Directory) -> None:
        name = f"{spec.endpoint} gone {gone.since_s}"
        if await self._alerts.told(name):
            return
        callers = await self._callers.callers(self._upstream, _CALLED_DAYS)
        await self._alerts.once(
            name,
            ModelAlerted(
                alert="",
                upstream=self._upstream,
                model=spec.endpoint,
                what="gone",
                retires="",
                days_left=0,
                successor=successor(spec, directory),
                apps=tuple(callers.get(spec.endpoint, ())),
            ),
        )

    async def _tell(
        self, spec: ModelSpec, day: date, left: int, apps: Sequence[str], directory: Directory
    ) -> None:
        """Queue the alert of the nearest day before the end that is reached, if an app calls it."""
        if not apps:
            return
        reached = min(days for days in DAYS_BEFORE if left <= days)
        await self._alerts.once(
            f"{spec.endpoint} {day.isoformat()} {reached}",
            ModelAlerted(
                alert="",
                upstream=self._upstream,
                model=spec.endpoint,
                what="retires",
                retires=day.isoformat(),
                days_left=max(0, left),
                successor=successor(spec, directory),
                apps=tuple(apps),
            ),
        )

    async def tell_changed(self, endpoint: str, change: str) -> None:
        """Queue the alert that an upstream changed a model; `change` says which change it is.

        Raises:
            Unavailable: Without Redis.
        """
        callers = await self._callers.callers(self._upstream, _CALLED_DAYS)
        await self._alerts.once(
            f"{endpoint} changed {change}",
            ModelAlerted(
                alert="",
                upstream=self._upstream,
                model=endpoint,
                what="changed",
                retires="",
                days_left=0,
                successor="",
                apps=tuple(callers.get(endpoint, ())),
            ),
        )

    async def _keep_all(self, endpoint: str) -> None:
        """Keep the pictures of a model once a day: purchases may still have been under way."""
        if await self._alerts.turn(endpoint, _DAY_S):
            await self._keep(endpoint)
