"""Uncertain jobs: those that may have been submitted, and the job that a request belongs to."""

from typing import Any

from redis.asyncio import Redis

from falgate.jobs.job import Job
from falgate.jobs.store import records
from falgate.redis import keyspace


async def unbound(redis: Redis, upstream: str) -> list[Job]:
    """Return jobs that may have been submitted and have no request id, with their inputs."""
    ids: Any
    found: Any
    ids = await redis.zrange(keyspace.open_jobs(upstream), 0, -1)
    async with redis.pipeline(transaction=False) as pipeline:
        for job_id in ids:
            pipeline.hgetall(keyspace.job(job_id))
        found = await pipeline.execute()
    jobs = [records.job(fields, None) for fields in found if fields]
    return [job for job in jobs if job.state == "submitting" and not job.request_id]


async def owner(redis: Redis, upstream: str, request_id: str) -> str:
    """Return the id of the job that an upstream's request belongs to, or ""."""
    return str(await redis.hget(keyspace.submits(upstream), request_id) or "")
