"""Reading of open jobs in two round trips, however many jobs have ended."""

from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from falgate.core.account import Account
from falgate.jobs.job import ENDS, Order
from falgate.jobs.under_way import LOOKED_MAX, JobUnderWay, Listed, Queue, step
from falgate.redis import keyspace

_FIELDS = (*("order", "state", "began_ms", "submitted_ms", "request_id", "trouble", "troubled_ms"),)


class UnderWay:
    """Open jobs of all upstreams. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

    async def queue(self, upstream: str) -> Queue:
        """Return how many jobs are open, wait and have a slot."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            _count(pipeline, upstream)
            return _queue(await pipeline.execute())

    async def held(self, upstream: str, charged: Account) -> int:
        """Return how many jobs hold money on an account."""
        return int(await self._redis.hget(keyspace.account(upstream, charged), "open") or 0)

    async def list(self, upstream: str, *, team: str = "", app: str = "") -> Listed:
        """Return the open jobs of a team or an app ("team/app"), or all, at most `LOOKED_MAX`."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            _count(pipeline, upstream)
            pipeline.zrange(keyspace.open_jobs(upstream), 0, LOOKED_MAX - 1, withscores=True)
            pipeline.zrange(keyspace.waiting(upstream), 0, LOOKED_MAX - 1)
            *counts, leases, waiting = await pipeline.execute()
        places = {member.partition(":")[0]: place for place, member in enumerate(waiting)}
        found: list[Any]
        async with self._redis.pipeline(transaction=False) as pipeline:
            for job_id, _ in leases:
                pipeline.hmget(keyspace.job(job_id), _FIELDS)
            found = await pipeline.execute()
        jobs = [
            _job(job_id, int(lease_ms), values, places.get(job_id))
            for (job_id, lease_ms), values in zip(leases, found, strict=True)
            # A job that ended between the two round trips is no longer open.
            if values[0] is not None and values[1] not in ENDS
        ]
        wanted = [
            job for job in jobs if team in {"", job.team} and app in {"", f"{job.team}/{job.app}"}
        ]
        wanted.sort(key=lambda job: (job.began_ms, job.id))
        return Listed(jobs=wanted, queue=_queue(counts))


def _count(pipeline: Pipeline, upstream: str) -> None:
    pipeline.time()
    pipeline.zcard(keyspace.open_jobs(upstream))
    pipeline.zcard(keyspace.waiting(upstream))
    pipeline.zcard(keyspace.slots(upstream))


def _queue(counts: Any) -> Queue:
    (seconds, micros), is_open, waiting, slots = counts
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    return Queue(now_ms=now_ms, open=int(is_open), waiting=int(waiting), slots=int(slots))


def _job(job_id: str, lease_ms: int, values: Any, place: int | None) -> JobUnderWay:
    order = msgspec.json.decode(values[0], type=Order)
    state, began_ms, submitted_ms, request_id, trouble, troubled_ms = values[1:]
    return JobUnderWay(
        id=job_id,
        team=order.team,
        app=order.app,
        key=order.key,
        model=order.endpoint,
        number=order.number,
        held=order.held,
        why=order.why,
        step=step(state, waits=place is not None),
        position=place,
        request_id=request_id or "",
        began_ms=int(began_ms),
        submitted_ms=int(submitted_ms or 0),
        lease_ms=lease_ms,
        trouble=trouble or "",
        troubled_ms=int(troubled_ms or 0),
    )
