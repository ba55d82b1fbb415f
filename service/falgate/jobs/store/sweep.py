"""Deletes the records of jobs that ended long ago, and expired markers of flights."""

from typing import Any

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.script import Script

_JOBS = Script("jobs_sweep")
_FLIGHTS = Script("flights_sweep")

_AT_ONCE = 100


async def sweep(redis: Redis, upstream: str, now_ms: int) -> int:
    """Delete up to 100 expired jobs and 100 expired markers; return the count.

    Raises:
        Unavailable: Without Redis.
    """
    before_ms = now_ms - keyspace.JOB_KEPT_S * 1000
    ended, submits = keyspace.ended_jobs(upstream), keyspace.submits(upstream)
    forgotten = 0
    jobs: Any = await redis.zrangebyscore(ended, "-inf", f"({before_ms}", start=0, num=_AT_ONCE)
    if jobs:
        forgotten += await _JOBS(
            redis,
            ended_jobs=ended,
            submits=submits,
            before_ms=before_ms,
            more_keys=[keyspace.job(job_id) for job_id in jobs],
            more_args=jobs,
        )
    old: Any = await redis.zrangebyscore(keyspace.MARKERS, "-inf", now_ms, start=0, num=_AT_ONCE)
    if old:
        forgotten += await _FLIGHTS(
            redis,
            more_keys=[keyspace.flight(fingerprint) for fingerprint in old],
            more_args=old,
        )
    return forgotten
