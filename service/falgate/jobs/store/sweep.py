"""Forgetting: jobs that ended long ago and markers of old flights, a few at a time."""

from typing import Any

from redis.asyncio import Redis

from falgate.redis import keyspace
from falgate.redis.script import Script
from falgate.redis.unavailable import translate_errors

_JOBS = Script("jobs_sweep")
_FLIGHTS = Script("flights_sweep")

_AT_ONCE = 100


async def sweep(redis: Redis, upstream: str, now_ms: int) -> int:
    """Forget up to 100 jobs and 100 markers whose time is over; how many it were.

    Raises:
        Unavailable: Without Redis.
    """
    before_ms = now_ms - keyspace.JOB_KEPT_S * 1000
    ended, submits = keyspace.ended_jobs(upstream), keyspace.submits(upstream)
    forgotten = 0
    jobs: Any
    old: Any
    with translate_errors():
        jobs = await redis.zrangebyscore(ended, "-inf", f"({before_ms}", start=0, num=_AT_ONCE)
        if jobs:
            forgotten += await _JOBS(
                redis,
                ended_jobs=ended,
                submits=submits,
                before_ms=before_ms,
                more_keys=[keyspace.job(job_id) for job_id in jobs],
                more_args=jobs,
            )
        old = await redis.zrangebyscore(keyspace.MARKERS, "-inf", now_ms, start=0, num=_AT_ONCE)
        if old:
            forgotten += await _FLIGHTS(
                redis,
                markers=keyspace.MARKERS,
                more_keys=[keyspace.flight(fingerprint) for fingerprint in old],
                more_args=old,
            )
    return forgotten
