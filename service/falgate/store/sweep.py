"""Forgetting: jobs that ended long ago and markers of old flights, a few at a time."""

from typing import Any

from redis.asyncio import Redis

from falgate.store import _keys
from falgate.store._reach import reaching
from falgate.store._script import Script

_JOBS = Script("jobs_sweep")
_FLIGHTS = Script("flights_sweep")

_AT_ONCE = 100


async def sweep(redis: Redis, upstream: str, now_ms: int) -> int:
    """Forget up to 100 jobs and 100 markers whose time is over; how many it were.

    Raises:
        Unavailable: Without Redis.
    """
    before_ms = now_ms - _keys.JOB_KEPT_S * 1000
    ended, submits = _keys.ended_jobs(upstream), _keys.submits(upstream)
    forgotten = 0
    jobs: Any
    old: Any
    with reaching():
        jobs = await redis.zrangebyscore(ended, "-inf", f"({before_ms}", start=0, num=_AT_ONCE)
        if jobs:
            forgotten += await _JOBS(
                redis,
                ended_jobs=ended,
                submits=submits,
                before_ms=before_ms,
                more_keys=[_keys.job(job_id) for job_id in jobs],
                more_args=jobs,
            )
        old = await redis.zrangebyscore(_keys.MARKERS, "-inf", now_ms, start=0, num=_AT_ONCE)
        if old:
            forgotten += await _FLIGHTS(
                redis,
                markers=_keys.MARKERS,
                more_keys=[_keys.flight(fingerprint) for fingerprint in old],
                more_args=old,
            )
    return forgotten
