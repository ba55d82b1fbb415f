"""Twins: open jobs that sent the same body, whose requests only their completion hooks tell apart.

Where their submits had no answer, fal's list has two requests that either may have sent. Whichever
is taken, both are bought, booked and delivered once; no one has to look at that.
"""

from falgate.jobs.job import Job
from falgate.jobs.ports import Jobs


async def exchanged(jobs: Jobs, job: Job, request_id: str) -> bool:
    """Whether a request that is not the job's, or no longer, was merely exchanged with a twin's.

    If it is nobody's yet, a twin that is still in doubt gets it.

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
    """Whether another job in doubt may have sent what this one has; raises `Unavailable`."""
    return any(job.order.is_twin(other.order) for other in await jobs.unbound(job.order.upstream))
