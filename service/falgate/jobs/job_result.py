"""What a job brings to each request that waits for it, whether its leader or a follower."""

from falgate.cache.lookup import look_up
from falgate.cache.request import PictureRequest
from falgate.core.errors import Refusal
from falgate.core.picture import Picture
from falgate.jobs import answer
from falgate.jobs.answer import Answer
from falgate.jobs.job import Job
from falgate.jobs.ports import Ports
from falgate.jobs.refusals import of_ending

_CANCELLED = 499


async def share(
    ports: Ports, request: PictureRequest, job: Job, pool: tuple[Picture, ...], *, leads: bool
) -> Answer | Refusal | None:
    """Return what a job that ended or is in trouble brings; None if its waiter has to ask again.

    A refusal that says why it brings nothing is returned, not raised.

    Args:
        ports: The ports of the request flow.
        request: What its waiter asked for.
        job: As it was read.
        pool: The pictures that the pool had when the request asked for the job.
        leads: Whether the job was begun for this request.

    Raises:
        Unavailable: Without Redis.
    """
    # A purchase that was given up before fal said anything, for example because its instance died
    # before the mark, is tried again by all waiters, its leader too, a bounded number of times.
    if _given_up(job):
        return None
    upstream = ports.upstream(job.order.upstream)
    delivery = answer.delivered(request.spec, job, upstream.may_fetch)
    if delivery is None:
        refusal = of_ending(job)
        if leads:
            # Only the leader was charged for it.
            refusal.charged = job.charged
        return refusal
    if leads:
        return answer.bought(request, job, pool, delivery)
    found = pool
    if not request.treatment.distinct:
        found = (await look_up(ports.pools, request)).pictures
    known = {picture.sha256 for picture in found}
    # Pictures of another size than requested are not in the pool, but followers get them too.
    found = (*found, *(each for each in delivery.pictures if each.sha256 not in known))
    if len(found) + len(delivery.foreign) < request.wanted:
        return None
    return answer.free(request, "coalesced", found, delivery.foreign)


def _given_up(job: Job) -> bool:
    """Return whether nothing was bought for a reason that only concerns the leader."""
    if job.state == "refused":
        return job.answer is not None and job.answer.status == _CANCELLED
    return job.state == "released" and job.answer is None
