"""Whether a job has started; until then, a request whose start time-out is over may leave it."""

from falgate.jobs.ports import Ports

_BEFORE = frozenset({"reserved", "submitting"})


async def has_started(ports: Ports, job_id: str) -> bool:
    """Return whether the upstream works on a job, or has done so.

    Raises:
        Unavailable: Without Redis.
    """
    job = await ports.jobs.read(job_id)
    if job is None or job.ended or job.state == "paid":
        return True
    progress = await ports.requests.progress(job_id)
    return job.state not in _BEFORE and progress is not None and progress.phase != "IN_QUEUE"
