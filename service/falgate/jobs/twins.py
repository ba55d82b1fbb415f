"""Twins: open jobs with the same body, which only fal's completion webhooks tell apart.

If their submits had no reply, fal's list has two requests, and either job may have sent either of
them. It does not matter which job gets which: both are bought, booked and delivered once.
"""

from falgate.jobs.job import Job
from falgate.jobs.ports import Jobs


async def exchanged(jobs: Jobs, job: Job, request_id: str) -> bool:
    """Return whether a request that is not the job's was merely exchanged with a twin's.

    A request that no job has yet is bound to a twin without one.

    Raises:
        Unavailable: Without Redis.
    """
    upstream = job.order.upstream
    owner = await jobs.owner(upstream, request_id)
    if owner:
        other = await jobs.read(owner)
        return other is not None and job.order.is_twin(other.order)
    for other in await jobs.unbound(upstream):
        if job.order.is_twin(other.order) and await jobs.accept(other, request_id, lease_ms=0):
            return True
    return False


async def has_twin(jobs: Jobs, job: Job) -> bool:
    """Return whether another job without a request id has the same body; raises `Unavailable`."""
    return any(job.order.is_twin(other.order) for other in await jobs.unbound(job.order.upstream))
