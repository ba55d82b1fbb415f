"""Shares: what a job brings to each of those who wait for it, leader or not."""

from typing import Any

from falgate.cache.policy import EffectivePolicy
from falgate.core.errors import Refusal
from falgate.core.picture import Picture
from falgate.jobs import answer
from falgate.jobs.answer import Answer
from falgate.jobs.job import Job
from falgate.jobs.ports import Ports
from falgate.jobs.refusals import of_ending
from falgate.jobs.usable import missing, usable
from falgate.models.spec import ModelSpec

_CANCELLED = 499


async def share(
    ports: Ports,
    *,
    spec: ModelSpec,
    arguments: Any,
    treatment: EffectivePolicy,
    job: Job,
    pool: tuple[Picture, ...],
    leads: bool,
) -> Answer | Refusal | None:
    """What a job that ended or is in trouble brings; None when its waiter has to look again.

    A refusal says why it brings nothing, and is returned, not raised.

    Args:
        ports: The world.
        spec: The model.
        arguments: What was asked for.
        treatment: How the cache treats it.
        job: As it was read.
        pool: The pictures that were there for it when it asked for the job.
        leads: Whether the job was begun for it.

    Raises:
        Unavailable: Without Redis or the store.
    """
    if _given_up(job):
        return None
    seller = ports.upstream(job.order.upstream)
    brought = answer.delivered(spec, job, seller.may_fetch)
    if brought is None:
        refusal = of_ending(job)
        if leads:
            # Whoever began it paid for it; those who joined did not.
            refusal.charged = job.charged
        return refusal
    if leads:
        return answer.bought(spec, arguments, job, pool, brought)
    wanted = spec.asked(arguments)
    found = pool
    if not treatment.distinct:
        found = (await usable(ports, job.order.fingerprint, wanted, treatment)).pictures
    known = {picture.sha256 for picture in found}
    # What was delivered but not published, being not quite as asked, is shared all the same.
    others = [picture for picture in brought.pictures if picture.sha256 not in known]
    lost = await missing(ports.pictures, others)
    found = (*found, *(picture for picture in others if picture not in lost))
    if len(found) + len(brought.foreign) < wanted:
        return None
    return answer.free(spec, arguments, "coalesced", found, brought.foreign)


def _given_up(job: Job) -> bool:
    """Whether nothing was bought for a reason of its leader's own, which nobody shares."""
    if job.state == "refused":
        return job.answer is not None and job.answer.status == _CANCELLED
    return job.state == "released" and job.answer is None
