"""Jobs in doubt: which may have been submitted, and to which job a request belongs."""

from typing import Any

from redis.asyncio import Redis

from falgate.core.job import Job
from falgate.store import _keys, _records
from falgate.store._reach import reaching


async def unbound(redis: Redis, upstream: str) -> list[Job]:
    """Jobs that may have been submitted and have no request id, with their inputs."""
    ids: Any
    found: Any
    with reaching():
        ids = await redis.zrange(_keys.open_jobs(upstream), 0, -1)
        async with redis.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hgetall(_keys.job(job_id))
            found = await pipeline.execute()
    jobs = [_records.job(fields, None) for fields in found if fields]
    return [job for job in jobs if job.state == "submitting" and not job.request_id]


async def owner(redis: Redis, upstream: str, request_id: str) -> str:
    """The id of the job that a request of the upstream's belongs to, or ""."""
    with reaching():
        return str(await redis.hget(_keys.submits(upstream), request_id) or "")
