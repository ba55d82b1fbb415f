"""Redis side of reconciliation: closed jobs, and the entries that correct them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.billing.closed_job import ClosedJob, ReconcileReport
from falgate.core.calendar import month_of
from falgate.money.charge import Charge
from falgate.money.entry import Close, read
from falgate.money.store.entries import Entries, last_before
from falgate.money.store.torn import refuse_torn
from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.redis.lock import take
from falgate.redis.script import Script

_CORRECT = Script("ledger_correct")

_PAGE = 500
_DAY_MS = 86_400_000
_YOUNG_MS = {
    "hour": 5 * _DAY_MS,
    "day": 42 * _DAY_MS,
    "week": 82 * _DAY_MS,
    "month": 433 * _DAY_MS,
    "total": 10**15,
}
"""How long after closing a job's windows are corrected even if they have no counter, by kind.

Longer than `money.sums.recent` looks back, so that every counter that is verified was corrected.
"""


def as_summary(found: Mapping[str, str]) -> ReconcileReport | None:
    """Return a round's result from the fields of its hash; None if there is none yet."""
    if not found:
        return None
    figures: dict[str, Any] = {name: int(found[name]) for name in ReconcileReport.__struct_fields__}
    return ReconcileReport(**{**figures, "strange": bool(figures["strange"])})


class Corrections:
    """Closed jobs of every ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, *, owner: str) -> None:
        """Take turns with other instances as `owner`."""
        self._redis = redis
        self._owner = owner

    async def closes(
        self, upstream: str, since_ms: int, until_ms: int
    ) -> AsyncIterator[list[ClosedJob]]:
        """Yield pages of the jobs that were closed in a period, oldest first.

        Raises:
            EntryStrange: An entry cannot be read.
        """
        pages = Entries(self._redis).pages(
            upstream, after=last_before(since_ms), until=f"({until_ms}-0"
        )
        async for page in pages:
            closed = [(entry, fields) for entry, fields in page if fields["kind"] == "close"]
            if closed:
                yield await self._postings(upstream, closed)

    async def correct(self, upstream: str, closed: ClosedJob, now: Charge, why: str) -> bool:
        """Set a job's cost to what fal billed, once; False if that changes nothing.

        From then on the job counts as reconciled, even if fal billed exactly what was booked.
        """
        age_ms = await now_ms(self._redis) - closed.at_ms
        windows = closed.windows.split(" ")
        young = [each for each in windows if age_ms < _YOUNG_MS[each.partition(":")[0]]]
        reply = await _CORRECT(
            self._redis,
            upstream=upstream,
            day=closed.day,
            month=month_of(closed.day),
            more_keys=[keyspace.account(upstream, each) for each in closed.accounts],
            entry=closed.entry,
            job_id=closed.job,
            was_billed=closed.charge.billed,
            was_overrun=closed.charge.overrun,
            billed=now.billed,
            overrun=now.overrun,
            request_id=closed.request_id,
            why=why,
            young=" ".join(young),
        )
        refuse_torn(reply)
        return bool(reply == "corrected")

    async def bound(self, upstream: str, request_ids: Collection[str]) -> dict[str, str]:
        """Return the job of each request that belongs to one, as long as jobs are kept."""
        ids = list(request_ids)
        found: dict[str, str] = {}
        for start in range(0, len(ids), _PAGE):
            some = ids[start : start + _PAGE]
            jobs = await self._redis.hmget(keyspace.submits(upstream), some)
            found |= {each: str(job) for each, job in zip(some, jobs, strict=True) if job}
        return found

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Return whether the caller is to reconcile now; if so, no one else may for `lease_ms`."""
        return await take(self._redis, keyspace.reconciler(upstream), self._owner, lease_ms)

    async def compared_until_ms(self, upstream: str) -> int:
        """Return until when complete rounds have compared fal's billing; 0 if there was none."""
        return int(await self._redis.hget(keyspace.reconciled(upstream), "compared_until_ms") or 0)

    async def keep(self, upstream: str, summary: ReconcileReport, *, whole: bool) -> None:
        """Store a round's result; the next round begins where a complete (`whole`) one ended."""
        figures: dict[Any, Any] = {
            name: int(getattr(summary, name)) for name in summary.__struct_fields__
        }
        if whole:
            figures["compared_until_ms"] = summary.until_ms
        await self._redis.hset(keyspace.reconciled(upstream), mapping=figures)

    async def _postings(
        self, upstream: str, closed: Sequence[tuple[str, dict[str, str]]]
    ) -> list[ClosedJob]:
        corrected: Any = await self._redis.hmget(
            keyspace.corrected(upstream), [fields["job"] for _, fields in closed]
        )
        return [
            _posting(entry, fields, now)
            for (entry, fields), now in zip(closed, corrected, strict=True)
        ]


def _posting(entry: str, fields: dict[str, str], corrected: str | None) -> ClosedJob:
    close = read(entry, fields)
    assert isinstance(close, Close)
    billed, overrun = (corrected or f"{close.billed}:{close.overrun}").split(":")
    return ClosedJob(
        **msgspec.structs.asdict(close),
        charge=Charge(int(billed), int(overrun)),
        compared=corrected is not None,
    )
