"""The events of queued requests that ended: with pictures, or refused."""

from falgate.core.errors import Refusal
from falgate.core.events import Answered, Refused
from falgate.core.refused import about, error_type, reason
from falgate.jobs.answer import Answer
from falgate.jobs.request import RequestSpec

_ROUTE = "queue"


def answered(
    asked: RequestSpec, found: Answer, job_id: str, took_s: float, quality: str
) -> Answered:
    """Return the event that a queued request got its pictures, all of its time spent waiting."""
    return Answered(
        request_id=asked.id,
        model=asked.endpoint,
        upstream=asked.upstream,
        team=asked.team,
        app=asked.app,
        key=asked.key,
        job=job_id,
        source=found.source,
        pictures=found.count,
        billed=found.billed,
        saved=found.saved,
        took_s=took_s,
        waited_s=took_s,
        reused=max(0, found.count - found.bought),
        quality=quality,
        fingerprint=asked.fingerprint,
        route=_ROUTE,
    )


def failed(
    asked: RequestSpec,
    refusal: Refusal,
    job_id: str = "",
    took_s: float = 0,
    *,
    leads: bool = False,
) -> Refused:
    """Return the event that a queued request ended without pictures."""
    return Refused(
        request_id=asked.id,
        route=_ROUTE,
        status=refusal.status,
        team=asked.team,
        app=asked.app,
        key=asked.key,
        reason=reason(refusal),
        error_type=error_type(refusal),
        about=about(refusal),
        asked=True,
        model=asked.endpoint,
        upstream=asked.upstream,
        job=job_id,
        leads=leads,
        charged=refusal.charged,
        took_s=took_s,
    )
