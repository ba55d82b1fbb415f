"""What Redis has of one request besides its log: its job with the times of its steps, and more."""

from collections.abc import Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis

from falgate.jobs.job import Job
from falgate.jobs.request import ID, QueuedRequest
from falgate.jobs.store import records
from falgate.redis import keyspace
from falgate.telemetry.request_path import JobSteps

LedgerEntry = tuple[str, dict[str, str]]
"""An entry's id and its fields."""


class RequestRecords:
    """The records. All methods raise `Unavailable` without Redis."""

    def __init__(self, redis: Redis) -> None:
        """Read from this Redis."""
        self._redis = redis

    async def kept(self, request_id: str) -> QueuedRequest | None:
        """Return a queued request as it is kept; None if there is none."""
        if not ID.fullmatch(request_id):
            return None
        fields: Any = await self._redis.hgetall(keyspace.request(request_id))
        return records.request(fields) if fields else None

    async def job(self, job_id: str) -> tuple[Job, JobSteps, list[LedgerEntry]] | None:
        """Return a job, its steps, and its closing entry unless that is archived; None if gone."""
        fields: Any = await self._redis.hgetall(keyspace.job(job_id))
        if not fields:
            return None
        job = records.job(fields, None)
        entries: Any = []
        if entry := fields.get("entry"):
            entries = await self._redis.xrange(keyspace.ledger(job.order.upstream), entry, entry)
        return job, _steps(fields), entries


def _steps(fields: Mapping[str, str]) -> JobSteps:
    return JobSteps(
        **{name: int(fields.get(name, 0)) for name in msgspec.structs.asdict(JobSteps())}
    )
