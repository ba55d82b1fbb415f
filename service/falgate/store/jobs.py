"""Jobs: claimed, held, marked, bound, settled and finished, each by one idempotent script."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.core.claim import NOBODY, Seen, Terms, Verdict, Waiter
from falgate.core.job import MOVES, Fenced, Job, NotDurable, Order, Trouble
from falgate.core.outcome import Settlement
from falgate.core.picture import Picture
from falgate.store import _doubts, _hold, _keys, _records
from falgate.store._bounded import grant
from falgate.store._reach import reaching
from falgate.store._script import Script
from falgate.store.clock import now_ms
from falgate.store.instance import Instance
from falgate.store.torn import refuse_torn

_MARK = Script("jobs_mark")
_ACCEPT = Script("jobs_accept")
_RENEW = Script("jobs_renew")
_ADOPT = Script("jobs_adopt")
_DOUBT = Script("jobs_doubt")
_SETTLE = Script("jobs_settle")
_FINISH = Script("jobs_finish")
_ASK = Script("turns_ask")

_BARRIER_MS = 2_000
_REFUSABLE = frozenset({"refused", "released"})


class Jobs:
    """Every job of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, instance: Instance) -> None:
        """Work on jobs as this instance, in its ledger."""
        self._redis = redis
        self._instance = instance

    async def hold(
        self, order: Order, seen: Seen, terms: Terms, waiter: Waiter = NOBODY
    ) -> Verdict:
        """Claim the order's flight, hold its money on every account and stand in line, or not."""
        return await _hold.hold(self._redis, self._instance, order, seen, terms, waiter)

    async def turn(self, job: Job) -> bool:
        """Whether a reserved job has its turn at the upstream; it stands in line from the hold.

        Raises:
            Fenced: It is not reserved any more.
        """
        with reaching():
            line = self._line(job.order.upstream)
            has = await _ASK(self._redis, job=_keys.job(job.order.id), **line)
        if has < 0:
            raise Fenced
        return bool(has)

    async def mark(self, job: Job) -> None:
        """Write down that the submit is about to leave, so that a crash cannot hide it.

        Raises:
            Fenced: Another instance has the job.
            NotDurable: The mark may still be lost. Nothing was sent.
        """
        named = {**self._leased(job), "slots": _keys.slots(job.order.upstream)}
        accounts = _accounts(job.order)
        barriers = self._instance.durability
        with reaching():
            if not (barriers.fsync or barriers.replicas):
                marked, durable = await _MARK(self._redis, more_keys=accounts, **named), True
            else:
                # On one connection, because both barriers speak of that connection's writes.
                async with self._redis.pipeline(transaction=False) as pipeline:
                    grant(pipeline, 2 * _BARRIER_MS)
                    _MARK.queue(pipeline, more_keys=accounts, **named)
                    if barriers.fsync:
                        pipeline.execute_command("WAITAOF", 1, 0, _BARRIER_MS)
                    pipeline.execute_command("WAIT", barriers.replicas, _BARRIER_MS)
                    marked, *local, copies = await pipeline.execute()
                fsynced = not barriers.fsync or local[0][0] >= 1
                durable = fsynced and copies >= barriers.replicas
        if not marked:
            raise Fenced
        if not durable:
            raise NotDurable

    async def accept(self, job: Job, request_id: str, *, lease_ms: int | None = None) -> bool:
        """Bind fal's request id; False when the job has another one or the id another job.

        With a lease of 0 somebody else than the job's worker says so, see the script.
        """
        with reaching():
            reply = await _ACCEPT(
                self._redis,
                job=_keys.job(job.order.id),
                open_jobs=_keys.open_jobs(job.order.upstream),
                submits=_keys.submits(job.order.upstream),
                more_keys=_accounts(job.order),
                job_id=job.order.id,
                request_id=request_id,
                lease_ms=self._instance.lease_ms if lease_ms is None else lease_ms,
            )
        return bool(reply == "accepted")

    async def renew(self, job: Job, *, lease_ms: int | None = None) -> bool:
        """Keep a job for another lease, or for so long; False when it is no longer the caller's."""
        with reaching():
            kept = await _RENEW(self._redis, **self._leased(job, lease_ms))
        return bool(kept)

    async def doubt(self, job: Job, trouble: Trouble, *, lease_ms: int | None = None) -> None:
        """Tell who waits that waiting is of no use now; the reaper looks again after the lease.

        Raises:
            Fenced: Another instance has the job.
        """
        with reaching():
            noted = await _DOUBT(
                self._redis,
                **self._leased(job, lease_ms),
                **self._line(job.order.upstream),
                trouble=trouble,
                wake=_keys.WAKE,
            )
        if not noted:
            raise Fenced

    async def settle(self, job: Job, settlement: Settlement, output: Any = None) -> None:
        """Move the money and write the closing entry: once, whoever asks how often.

        Raises:
            Fenced: Another instance has the job, or it has moved on.
        """
        assert settlement.state in MOVES[job.state]
        order = job.order
        day = next(name for name in job.windows if name.startswith("day:"))
        with reaching():
            reply = await _SETTLE(
                self._redis,
                job=_keys.job(order.id),
                open_jobs=_keys.open_jobs(order.upstream),
                ended_jobs=_keys.ended_jobs(order.upstream),
                flight=_keys.flight(order.flight),
                ledger=_keys.ledger(order.upstream),
                house=_keys.house(order.upstream),
                alerts=_keys.ALERTS,
                usage=_keys.usage(order.upstream, day.removeprefix("day:")),
                breakdown=_keys.breakdown(order.upstream, day.removeprefix("day:")),
                torn=_keys.torn(order.upstream),
                **self._line(order.upstream),
                more_keys=_accounts(order),
                job_id=order.id,
                epoch=job.epoch,
                **{"from": job.state},
                to=settlement.state,
                charge=settlement.charge,
                lease_ms=self._instance.lease_ms,
                output=msgspec.json.encode(output).decode(),
                answer=msgspec.json.encode(settlement.answer).decode(),
                refusal=_keys.refusal(order.id),
                refusal_kept_s=_keys.REFUSAL_KEPT_S,
                wake=_keys.WAKE,
                subject=_records.subject(order, settlement),
                measures=msgspec.json.encode(_records.measures(job, settlement)).decode(),
                more_args=_records.entry(job, settlement),
            )
        refuse_torn(reply[0])
        match reply:
            case ["fenced", _]:
                raise Fenced
            case ["settled", _, entry]:  # by this very call
                self._instance.wrote(order.upstream, entry)

    async def finish(self, job: Job, pictures: Sequence[Picture], published: Seen | None) -> None:
        """End a paid job and its flight, and wake who waits.

        Args:
            job: In state "paid".
            pictures: What was banked.
            published: What the pool holds since, or None when nothing was published.

        Raises:
            Fenced: Another instance has the job.
        """
        # Who buys afresh has a flight of its own, which nobody else could have missed.
        seen = Seen() if published is None or job.order.fresh else published
        with reaching():
            reply = await _FINISH(
                self._redis,
                job=_keys.job(job.order.id),
                open_jobs=_keys.open_jobs(job.order.upstream),
                ended_jobs=_keys.ended_jobs(job.order.upstream),
                flight=_keys.flight(job.order.flight),
                pool_flight=_keys.flight(job.order.fingerprint),
                markers=_keys.MARKERS,
                job_id=job.order.id,
                epoch=job.epoch,
                pictures=msgspec.json.encode(pictures).decode(),
                generation=seen.generation,
                count=seen.count,
                marker_ms=_keys.MARKER_KEPT_S * 1000,
                fingerprint=job.order.fingerprint,
                wake=_keys.WAKE,
                kept="0" if published is None else "1",
            )
        if reply == "fenced":
            raise Fenced

    async def adopt(self, job_id: str, upstream: str) -> Job | None:
        """Take over a job whose lease ran out; None when somebody works on it or it has ended."""
        with reaching():
            epoch = await _ADOPT(
                self._redis,
                job=_keys.job(job_id),
                open_jobs=_keys.open_jobs(upstream),
                job_id=job_id,
                owner=self._instance.owner,
                lease_ms=self._instance.lease_ms,
            )
        job = await self.read(job_id) if epoch else None
        # Who was asleep in between for longer than the lease has it no more: acting under the next
        # owner's epoch, it would not be fenced, and would buy a second time.
        return job if job and job.epoch == epoch else None

    async def lapsed(self, upstream: str, number: int) -> list[str]:
        """Up to so many open jobs whose lease ran out, the longest first."""
        key, until_ms = _keys.open_jobs(upstream), await self.now_ms()
        with reaching():
            found: Any = await self._redis.zrangebyscore(key, "-inf", until_ms, start=0, num=number)
        return list(found)

    async def read(self, job_id: str) -> Job | None:
        """A job as it stands, or None when there is none (any more)."""
        refusal: Any = None
        with reaching():
            fields: Any = await self._redis.hgetall(_keys.job(job_id))
            if fields and fields["state"] in _REFUSABLE:
                refusal = await self._redis.get(_keys.refusal(job_id))
        return _records.job(fields, refusal) if fields else None

    async def unbound(self, upstream: str) -> list[Job]:
        """Jobs that may have been submitted and have no request id, with their inputs."""
        return await _doubts.unbound(self._redis, upstream)

    async def owner(self, upstream: str, request_id: str) -> str:
        """The id of the job that a request belongs to, or ""."""
        return await _doubts.owner(self._redis, upstream, request_id)

    async def now_ms(self) -> int:
        """Redis's clock, milliseconds since 1970: the only one that decides about money."""
        return await now_ms(self._redis)

    def _leased(self, job: Job, lease_ms: int | None = None) -> dict[str, Any]:
        """What every script takes that is fenced and moves the end of a lease."""
        return {
            "job": _keys.job(job.order.id),
            "open_jobs": _keys.open_jobs(job.order.upstream),
            "job_id": job.order.id,
            "epoch": job.epoch,
            "lease_ms": self._instance.lease_ms if lease_ms is None else lease_ms,
        }

    def _line(self, upstream: str) -> dict[str, Any]:
        """What every script takes that gives slots on."""
        return {
            "slots": _keys.slots(upstream),
            "waiting": _keys.waiting(upstream),
            "tags": _keys.turns(upstream),
            "slots_max": self._instance.slots_max,
            "channel": _keys.WAKE,
        }


def _accounts(order: Order) -> list[str]:
    return [_keys.account(order.upstream, account) for account in order.accounts]
