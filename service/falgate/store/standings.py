"""Everything that is watched of the money: of every upstream, in two trips however many teams.

Asked every few seconds by everybody who scrapes, so it costs by what is shown and by nothing else:
no list of all accounts is read, which has every key that was ever charged.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from falgate.core.budget import ORGANISATION, Account
from falgate.core.calendar import KINDS, Calendar, Window
from falgate.core.catalogue import Total
from falgate.core.standings import Standing, Where
from falgate.store import _keys
from falgate.store._reach import reaching
from falgate.store.budgets import position
from falgate.store.catalogue import TOTAL, as_total
from falgate.store.corrections import as_summary
from falgate.store.proving import as_proved

_COUNTERS = ("spent", "forgiven", "raised", "held")
_OWN = 5
"""How many answers of the first trip are for each upstream."""


class Standings:
    """Where the money stands. `Unavailable` without Redis."""

    def __init__(self, redis: Redis, calendar: Calendar, *, teams_max: int) -> None:
        """Show so many teams of each upstream, the first by their names."""
        self._redis = redis
        self._calendar = calendar
        self._teams_max = teams_max

    async def read(self, upstreams: Sequence[str]) -> tuple[list[Standing], Total]:
        """Each upstream's books, and how much is stored."""
        with reaching():
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.hget(_keys.META, "frozen_ms")
                pipeline.hmget(_keys.MEDIA, TOTAL)
                for upstream in upstreams:
                    self._ask(pipeline, upstream)
                (seconds, micros), frozen_ms, stored, *rest = await pipeline.execute()
        books = [rest[start : start + _OWN] for start in range(0, len(rest), _OWN)]
        subjects = [[ORGANISATION, *(Account("team", name) for name in own[0])] for own in books]
        windows = self._calendar.windows(int(seconds) * 1000 + int(micros) // 1000)
        stand = await self._accounts(upstreams, subjects, windows)
        standings = [
            Standing(
                upstream=upstream,
                accounts=accounts,
                house=(int(house[0] or 0), int(house[1] or 0)),
                open_jobs=int(open_jobs),
                frozen=int(frozen_ms or 0) > 0,
                reconciled=as_summary(reconciled),
                proved=as_proved(proof),
            )
            for upstream, accounts, (_, house, open_jobs, reconciled, proof) in zip(
                upstreams, stand, books, strict=True
            )
        ]
        return standings, as_total(stored)

    def _ask(self, pipeline: Pipeline, upstream: str) -> None:
        pipeline.zrange(_keys.teams(upstream), 0, self._teams_max - 1)
        pipeline.hmget(_keys.house(upstream), ["limit", "overrun"])
        pipeline.zcard(_keys.open_jobs(upstream))
        pipeline.hgetall(_keys.reconciled(upstream))
        pipeline.hgetall(_keys.proved(upstream))

    async def _accounts(
        self,
        upstreams: Sequence[str],
        subjects: Sequence[Sequence[Account]],
        windows: Sequence[Window],
    ) -> list[list[Where]]:
        fields = [
            "waiting",
            *(f"budget:{kind}" for kind in KINDS),
            *(f"{counter}:{window.name}" for counter in _COUNTERS for window in windows),
        ]
        found: Any
        with reaching():
            async with self._redis.pipeline(transaction=False) as pipeline:
                for upstream, accounts in zip(upstreams, subjects, strict=True):
                    for each in accounts:
                        pipeline.hmget(_keys.account(upstream, each), fields)
                found = iter(await pipeline.execute())
        return [[_where(each, fields, next(found), windows) for each in own] for own in subjects]


def _where(
    account: Account,
    fields: Sequence[str],
    values: Sequence[str | None],
    windows: Sequence[Window],
) -> Where:
    figures = {
        field: value for field, value in zip(fields, values, strict=True) if value is not None
    }
    return Where(
        account=account,
        positions=[position(account, window, figures) for window in windows],
        waiting=int(figures.get("waiting", 0)),
    )
