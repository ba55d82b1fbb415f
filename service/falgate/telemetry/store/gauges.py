"""Budget gauges of every upstream, read in two round trips regardless of the number of teams.

They are read at every scrape, so the cost must depend only on what is shown: the list of all
accounts, which has every key that was ever charged, is not read.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from falgate.billing.store.corrections import as_summary
from falgate.core.account import ORGANISATION, Account, account
from falgate.core.calendar import KINDS, Calendar, Window
from falgate.money.stop import STOPPABLE
from falgate.money.store.budgets import position
from falgate.money.store.verifications import as_verification
from falgate.pictures.catalogue import StoreSize
from falgate.pictures.store.catalogue import TOTAL, as_total
from falgate.redis import keyspace, picture_keys
from falgate.telemetry.standing import AccountStanding, UpstreamStanding

_COUNTERS = ("spent", "forgiven", "raised", "held")
_OWN = 5
"""Number of replies per upstream in the first round trip."""


class BudgetGauges:
    """Reads budget gauges. Raises `Unavailable` without Redis."""

    def __init__(
        self, redis: Redis, calendar: Calendar, *, teams_max: int, models: Iterable[str]
    ) -> None:
        """Show these models, and up to `teams_max` teams of each upstream in order of names."""
        self._redis = redis
        self._calendar = calendar
        self._teams_max = teams_max
        self._models = [Account("model", endpoint) for endpoint in models]

    async def read(self, upstreams: Sequence[str]) -> tuple[list[UpstreamStanding], StoreSize]:
        """Return the gauges of each upstream, and the size of the picture store."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.hget(keyspace.META, "frozen_ms")
            pipeline.hkeys(keyspace.STOPS)
            pipeline.hmget(picture_keys.MEDIA, TOTAL)
            for upstream in upstreams:
                self._ask(pipeline, upstream)
            (seconds, micros), frozen_ms, stopped, stored, *rest = await pipeline.execute()
        replies = [rest[start : start + _OWN] for start in range(0, len(rest), _OWN)]
        subjects = [
            [ORGANISATION, *(Account("team", name) for name in own[0]), *self._models]
            for own in replies
        ]
        windows = self._calendar.windows(int(seconds) * 1000 + int(micros) // 1000)
        stand = await self._accounts(upstreams, subjects, windows)
        levels = Counter(account(name).level for name in stopped)
        stops = {level: levels[level] for level in STOPPABLE}
        standings = [
            UpstreamStanding(
                upstream=upstream,
                accounts=accounts,
                overage=(int(overage[0] or 0), int(overage[1] or 0)),
                open_jobs=int(open_jobs),
                frozen=int(frozen_ms or 0) > 0,
                stops=stops,
                reconciled=as_summary(reconciled),
                verified=as_verification(proof),
            )
            for upstream, accounts, (_, overage, open_jobs, reconciled, proof) in zip(
                upstreams, stand, replies, strict=True
            )
        ]
        return standings, as_total(stored)

    def _ask(self, pipeline: Pipeline, upstream: str) -> None:
        pipeline.zrange(keyspace.teams(upstream), 0, self._teams_max - 1)
        pipeline.hmget(keyspace.overage(upstream), ["limit", "overrun"])
        pipeline.zcard(keyspace.open_jobs(upstream))
        pipeline.hgetall(keyspace.reconciled(upstream))
        pipeline.hgetall(keyspace.verified(upstream))

    async def _accounts(
        self,
        upstreams: Sequence[str],
        subjects: Sequence[Sequence[Account]],
        windows: Sequence[Window],
    ) -> list[list[AccountStanding]]:
        fields = [
            "waiting",
            *(f"budget:{kind}" for kind in KINDS),
            *(f"{counter}:{window.name}" for counter in _COUNTERS for window in windows),
        ]
        found: Any
        async with self._redis.pipeline(transaction=False) as pipeline:
            for upstream, accounts in zip(upstreams, subjects, strict=True):
                for each in accounts:
                    pipeline.hmget(keyspace.account(upstream, each), fields)
            found = iter(await pipeline.execute())
        return [[_where(each, fields, next(found), windows) for each in own] for own in subjects]


def _where(
    account: Account,
    fields: Sequence[str],
    values: Sequence[str | None],
    windows: Sequence[Window],
) -> AccountStanding:
    figures = {
        field: value for field, value in zip(fields, values, strict=True) if value is not None
    }
    return AccountStanding(
        account=account,
        positions=[position(account, window, figures) for window in windows],
        waiting=int(figures.get("waiting", 0)),
    )
