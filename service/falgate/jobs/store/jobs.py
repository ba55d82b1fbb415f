"""Jobs in Redis: hold, mark, accept, settle and finish, each an idempotent script."""

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.calendar import month_of
from falgate.core.picture import Picture
from falgate.jobs.job import MOVES, Fenced, Job, NotDurable, Order, Trouble
from falgate.jobs.settlement import Settlement, settled
from falgate.jobs.store import hold as _hold
from falgate.jobs.store import records, uncertain
from falgate.jobs.verdicts import NOBODY, Verdict, Waiter
from falgate.money.store.instance import Instance
from falgate.money.store.torn import refuse_torn
from falgate.redis import keyspace
from falgate.redis.bounded import grant
from falgate.redis.clock import now_ms
from falgate.redis.script import Script

_MARK = Script("jobs_mark")
_ACCEPT = Script("jobs_accept")
_RENEW = Script("jobs_renew")
_ADOPT = Script("jobs_adopt")
_DOUBT = Script("jobs_uncertain")
_SETTLE = Script("jobs_settle")
_FINISH = Script("jobs_finish")
_ASK = Script("turns_ask")

_BARRIER_MS = 2_000
_REFUSABLE = frozenset({"refused", "released"})


class Jobs:
    """The jobs of one ledger. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis, instance: Instance) -> None:
        """Work on jobs as this instance, in its ledger."""
        self._redis = redis
        self._instance = instance

    async def hold(
        self, order: Order, seen: PoolVersion, terms: PurchaseLimits, waiter: Waiter = NOBODY
    ) -> Verdict:
        """Claim the order's flight, hold its money on every account and queue it, or do nothing."""
        return await _hold.hold(self._redis, self._instance, order, seen, terms, waiter)

    async def turn(self, job: Job) -> bool:
        """Return whether a reserved job, which is queued from its hold on, has a slot.

        Raises:
            Fenced: It is no longer reserved.
        """
        has = await _ASK(self._redis, job_id=job.order.id, **self._line(job.order.upstream))
        if has < 0:
            raise Fenced
        return bool(has)

    async def mark(self, job: Job) -> Job:
        """Record that the submit is about to be sent, so that a crash cannot hide it.

        Returns:
            The job in its new state.

        Raises:
            Fenced: Another instance has the job.
            NotDurable: The mark may still be lost. Nothing was sent.
        """
        named = self._leased(job)
        accounts = _accounts(job)
        barriers = self._instance.durability
        if not (barriers.fsync or barriers.replicas):
            marked_ms, durable = await _MARK(self._redis, more_keys=accounts, **named), True
        else:
            # On one connection: WAIT and WAITAOF only cover the writes of their connection.
            async with self._redis.pipeline(transaction=False) as pipeline:
                grant(pipeline, 2 * _BARRIER_MS)
                _MARK.queue(pipeline, more_keys=accounts, **named)
                if barriers.fsync:
                    pipeline.execute_command("WAITAOF", 1, 0, _BARRIER_MS)
                pipeline.execute_command("WAIT", barriers.replicas, _BARRIER_MS)
                marked_ms, *local, copies = await pipeline.execute()
            fsynced = not barriers.fsync or local[0][0] >= 1
            durable = fsynced and copies >= barriers.replicas
        if not marked_ms:
            raise Fenced
        if not durable:
            raise NotDurable
        return msgspec.structs.replace(job, state="submitting", submitted_ms=int(marked_ms))

    async def accept(self, job: Job, request_id: str, *, lease_ms: int | None = None) -> bool:
        """Bind fal's request id; return False if it, or the job, is bound to another one.

        A lease of 0 ms is for callers that do not run the job, see the script.
        """
        reply = await _ACCEPT(
            self._redis,
            upstream=job.order.upstream,
            more_keys=_accounts(job),
            job_id=job.order.id,
            request_id=request_id,
            lease_ms=self._instance.lease_ms if lease_ms is None else lease_ms,
        )
        return bool(reply == "accepted")

    async def renew(self, job: Job, *, lease_ms: int | None = None) -> bool:
        """Renew a job's lease; return False if the job is no longer the caller's."""
        kept = await _RENEW(self._redis, **self._leased(job, lease_ms))
        return bool(kept)

    async def mark_uncertain(
        self, job: Job, trouble: Trouble, *, lease_ms: int | None = None
    ) -> None:
        """Record that waiting is of no use now; the reaper looks again when the lease runs out.

        Raises:
            Fenced: Another instance has the job.
        """
        noted = await _DOUBT(
            self._redis,
            **(self._leased(job, lease_ms) | self._line(job.order.upstream)),
            trouble=trouble,
            wake=keyspace.WAKE,
        )
        if not noted:
            raise Fenced

    async def settle(self, job: Job, settlement: Settlement, output: Any = None) -> Job:
        """Settle the hold and write the closing entry, once, however often this is repeated.

        Returns:
            The job in its new state.

        Raises:
            Fenced: Another instance has the job, or it has moved on.
        """
        assert settlement.state in MOVES[job.state]
        order = job.order
        [day] = [name[4:] for name in job.windows if name.startswith("day:")]
        reply = await _SETTLE(
            self._redis,
            day=day,
            month=month_of(day),
            flight_name=order.flight,
            **self._line(order.upstream),
            more_keys=_accounts(job),
            job_id=order.id,
            epoch=job.epoch,
            **{"from": job.state},
            to=settlement.state,
            charge=settlement.charge,
            lease_ms=self._instance.lease_ms,
            output=msgspec.json.encode(output).decode(),
            answer=msgspec.json.encode(settlement.answer).decode(),
            refusal_kept_s=keyspace.REFUSAL_KEPT_S,
            wake=keyspace.WAKE,
            subject=records.subject(order, settlement),
            measures=msgspec.json.encode(records.measures(settlement)).decode(),
            more_args=records.entry(job, settlement),
        )
        refuse_torn(reply[0])
        if reply[0] == "fenced":
            raise Fenced
        _, remaining, now, *entry = reply
        self._instance.clock.note(int(now))
        if entry:  # by this very call
            self._instance.wrote(order.upstream, *entry)
        return settled(job, settlement, output, remaining=int(remaining))

    async def finish(
        self, job: Job, pictures: Sequence[Picture], published: PoolVersion | None
    ) -> None:
        """End a paid job and its flight, and wake its waiters.

        Args:
            job: In state "paid".
            pictures: Those that were stored.
            published: The pool's new version; None if nothing was published.

        Raises:
            Fenced: Another instance has the job.
        """
        # A purchase of new pictures has its own flight, so no reader of the pool needs a marker.
        seen = PoolVersion() if published is None or job.order.fresh else published
        reply = await _FINISH(
            self._redis,
            upstream=job.order.upstream,
            flight_name=job.order.flight,
            pool_flight=keyspace.flight(job.order.fingerprint),
            job_id=job.order.id,
            epoch=job.epoch,
            pictures=msgspec.json.encode(pictures).decode(),
            generation=seen.generation,
            count=seen.count,
            marker_ms=keyspace.MARKER_KEPT_S * 1000,
            fingerprint=job.order.fingerprint,
            wake=keyspace.WAKE,
            kept="0" if published is None else "1",
        )
        if reply == "fenced":
            raise Fenced

    async def adopt(self, job_id: str, upstream: str) -> Job | None:
        """Take over a job whose lease ran out; return None if its lease runs or it has ended."""
        epoch = await _ADOPT(
            self._redis,
            upstream=upstream,
            job_id=job_id,
            owner=self._instance.owner,
            lease_ms=self._instance.lease_ms,
        )
        job = await self.read(job_id) if epoch else None
        # If this process slept for longer than the lease, another one has adopted the job since.
        # With that one's epoch, this process would not be fenced, and would buy a second time.
        return job if job and job.epoch == epoch else None

    async def lapsed(self, upstream: str, number: int) -> list[str]:
        """Return up to `number` ids of open jobs whose leases ran out, the earliest first."""
        key, until_ms = keyspace.open_jobs(upstream), await self.now_ms()
        found: Any = await self._redis.zrangebyscore(key, "-inf", until_ms, start=0, num=number)
        return list(found)

    async def read(self, job_id: str) -> Job | None:
        """Return a job as it is now; None if there is none."""
        refusal: Any = None
        fields: Any = await self._redis.hgetall(keyspace.job(job_id))
        if fields and fields["state"] in _REFUSABLE:
            refusal = await self._redis.get(keyspace.refusal(job_id))
        return records.job(fields, refusal) if fields else None

    async def unbound(self, upstream: str) -> list[Job]:
        """Return jobs that may have been submitted and have no request id, with their inputs."""
        return await uncertain.unbound(self._redis, upstream)

    async def owner(self, upstream: str, request_id: str) -> str:
        """Return the id of the job that a request belongs to, or ""."""
        return await uncertain.owner(self._redis, upstream, request_id)

    async def now_ms(self) -> int:
        """Return Redis's time, in ms since 1970: the only clock that decides about money."""
        found = await now_ms(self._redis)
        self._instance.clock.note(found)
        return found

    def clock_ms(self) -> int:
        """Return Redis's time as estimated since it was last read, for all other decisions."""
        return self._instance.clock.now_ms()

    def _leased(self, job: Job, lease_ms: int | None = None) -> dict[str, Any]:
        """Return the arguments of scripts that are fenced and change the end of a lease."""
        return {
            "upstream": job.order.upstream,
            "job_id": job.order.id,
            "epoch": job.epoch,
            "lease_ms": self._instance.lease_ms if lease_ms is None else lease_ms,
        }

    def _line(self, upstream: str) -> dict[str, Any]:
        """Return the arguments of scripts that give slots to waiting jobs."""
        return {
            "upstream": upstream,
            "tags": keyspace.turns(upstream),
            "slots_max": self._instance.slots_max,
            "channel": keyspace.MOVED,
        }


def _accounts(job: Job) -> list[str]:
    return [keyspace.account(job.order.upstream, account) for account in job.accounts]
