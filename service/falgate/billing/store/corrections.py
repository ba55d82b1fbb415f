"""Redis side of reconciliation: closed jobs, and the entries that correct them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from falgate.billing.closed_job import ClosedJob, ReconcileReport
from falgate.core.account import ORGANISATION, Account, chain
from falgate.money.charge import Charge
from falgate.money.store.torn import refuse_torn
from falgate.redis import keyspace
from falgate.redis.clock import now_ms
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

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
        """Yield pages of the jobs that were closed in a period, oldest first."""
        first, last = f"{max(0, since_ms)}-0", f"({until_ms}-0"
        while True:
            page: Any
            with translate_errors():
                page = await self._redis.xrange(
                    keyspace.ledger(upstream), min=first, max=last, count=_PAGE
                )
            closed = [(entry, fields) for entry, fields in page if fields["kind"] == "close"]
            if closed:
                yield await self._postings(upstream, closed)
            if len(page) < _PAGE:
                return
            first = f"({page[-1][0]}"

    async def correct(self, upstream: str, closed: ClosedJob, now: Charge, why: str) -> bool:
        """Set a job's cost to what fal billed, once; False if that changes nothing.

        From then on the job counts as reconciled, even if fal billed exactly what was booked.
        """
        windows = dict(name.split(":", 1) for name in closed.windows)
        age_ms = await self._now_ms() - closed.closed_ms
        young = [f"{kind}:{each}" for kind, each in windows.items() if age_ms < _YOUNG_MS[kind]]
        with translate_errors():
            reply = await _CORRECT(
                self._redis,
                corrected=keyspace.corrected(upstream),
                ledger=keyspace.ledger(upstream),
                house=keyspace.house(upstream),
                usage=keyspace.usage(upstream, windows["day"]),
                breakdown=keyspace.breakdown(upstream, windows["day"]),
                torn=keyspace.torn(upstream),
                more_keys=[keyspace.account(upstream, each) for each in _charged(closed)],
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
            with translate_errors():
                jobs = await self._redis.hmget(keyspace.submits(upstream), some)
            found |= {each: str(job) for each, job in zip(some, jobs, strict=True) if job}
        return found

    async def take_round(self, upstream: str, lease_ms: int) -> bool:
        """Return whether the caller is to reconcile now; if so, no one else may for `lease_ms`."""
        with translate_errors():
            taken = await self._redis.set(
                keyspace.reconciler(upstream), self._owner, nx=True, px=lease_ms
            )
        return bool(taken)

    async def compared_until_ms(self, upstream: str) -> int:
        """Return until when complete rounds have compared fal's billing; 0 if there was none."""
        with translate_errors():
            return int(
                await self._redis.hget(keyspace.reconciled(upstream), "compared_until_ms") or 0
            )

    async def keep(self, upstream: str, summary: ReconcileReport, *, whole: bool) -> None:
        """Store a round's result; the next round begins where a complete (`whole`) one ended."""
        figures: dict[Any, Any] = {
            name: int(getattr(summary, name)) for name in summary.__struct_fields__
        }
        if whole:
            figures["compared_until_ms"] = summary.until_ms
        with translate_errors():
            await self._redis.hset(keyspace.reconciled(upstream), mapping=figures)

    async def _postings(
        self, upstream: str, closed: Sequence[tuple[str, dict[str, str]]]
    ) -> list[ClosedJob]:
        corrected: Any
        with translate_errors():
            corrected = await self._redis.hmget(
                keyspace.corrected(upstream), [fields["job"] for _, fields in closed]
            )
        return [
            _posting(entry, fields, now)
            for (entry, fields), now in zip(closed, corrected, strict=True)
        ]

    async def _now_ms(self) -> int:
        return await now_ms(self._redis)


def _charged(closed: ClosedJob) -> Sequence[Account]:
    if closed.outcome == "recovered":
        return (ORGANISATION,)
    return chain(closed.team, closed.app, closed.key)


def _posting(entry: str, fields: dict[str, str], corrected: str | None) -> ClosedJob:
    billed, overrun = (corrected or f"{fields['billed']}:{fields['overrun']}").split(":")
    return ClosedJob(
        entry=entry,
        closed_ms=int(entry.partition("-")[0]),
        job=fields["job"],
        outcome=fields["outcome"],
        model=fields.get("model", ""),
        request_id=fields.get("request_id", ""),
        windows=tuple(fields["windows"].split(" ")),
        team=fields["team"],
        app=fields["app"],
        key=fields["key"],
        held=int(fields["held"]),
        charge=Charge(int(billed), int(overrun)),
        compared=corrected is not None,
    )
