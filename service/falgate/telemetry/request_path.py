"""The path that a request took, step by step, and the headers of its response, as recorded."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from falgate.core.money import dollars
from falgate.jobs.job import Job
from falgate.jobs.request import QueuedRequest
from falgate.telemetry.logged_request import LoggedRequest

StepName = Literal[
    "received",
    "looked_up",
    "joined",
    "held",
    "waited",
    "submitted",
    "accepted",
    "paid",
    "banked",
    "released",
    "refused",
    "unknown",
    "answered",
    "failed",
    "cancelled",
]
"""received: falgate has the request. looked_up: its pool was read. joined: it waits for another
request's job. held: the job has its money. waited: the job has a slot at the upstream. submitted,
accepted: sent, and bound to the upstream's id. paid: settled. banked: its pictures are stored and
published. released, refused, unknown: how else the job ended. answered, failed, cancelled: the end
of the request."""


class JobSteps(msgspec.Struct, frozen=True, kw_only=True):
    """When a job came to each of its steps, Redis's time in ms since 1970; 0 if it did not."""

    began_ms: int = 0
    slot_ms: int = 0
    submitted_ms: int = 0
    accepted_ms: int = 0
    settled_ms: int = 0
    finished_ms: int = 0


class Step(msgspec.Struct, frozen=True):
    """One step of a request.

    Attributes:
        name: See `StepName`.
        at_ms: When, in ms since 1970; 0 if that is not recorded.
    """

    name: StepName
    at_ms: int = 0


def path(
    one: LoggedRequest | None,
    kept: QueuedRequest | None,
    job: Job | None,
    steps: JobSteps,
) -> list[Step]:
    """Return the steps that are known to have happened, in order.

    The times of the request are its instance's unless it is a queued one, those of the job Redis's;
    two clocks may differ by some milliseconds.

    Args:
        one: The request in the log.
        kept: The queued request as it is kept.
        job: The job that it waited for.
        steps: That of the job.
    """
    found = [Step("received", _received_ms(one, kept))]
    refused_before = one is not None and one.outcome == "refused" and job is None
    if not refused_before:
        found.append(Step("looked_up"))
    if job is not None:
        found += _of_job(job, steps, leads=leads(one, kept))
    if kept is not None:
        if kept.state != "open":
            ends: dict[str, StepName] = {"done": "answered", "cancelled": "cancelled"}
            found.append(Step(ends.get(kept.state, "failed"), kept.ended_ms))
    elif one is not None:
        found.append(Step("failed" if one.outcome == "refused" else "answered", one.at_ms))
    return found


def leads(one: LoggedRequest | None, kept: QueuedRequest | None) -> bool:
    """Return whether the job was begun for the request itself."""
    if kept is not None:
        return kept.leads
    return one is not None and one.leads


def headers(one: LoggedRequest) -> dict[str, str]:
    """Return those headers of the response that its entry alone decides.

    Those that depend on the moment (`Age`, a hit's `ttl`, the remaining budget) are left out.
    """
    told = {"x-fal-request-id": one.id}
    if one.outcome == "refused":
        return told | ({"X-Fal-Error-Type": one.error_type} if one.error_type else {})
    told["Cache-Control"] = "private, no-store"
    if one.outcome == "coalesced":
        told["Cache-Status"] = "falgate; fwd=miss; collapsed"
    told["X-Falgate-Cache"] = one.outcome
    if one.number == 1:
        told["X-Falgate-Cost-Usd"] = dollars(one.billed)
        told["X-Falgate-Saved-Usd"] = dollars(one.saved)
        told["x-fal-billable-units"] = str(one.bought)
    return told


def _received_ms(one: LoggedRequest | None, kept: QueuedRequest | None) -> int:
    if kept is not None:
        return kept.began_ms
    return round(one.at_ms - one.took_ms) if one is not None else 0


def _of_job(job: Job, steps: JobSteps, *, leads: bool) -> Iterator[Step]:
    if not leads:
        yield Step("joined")
    yield Step("held", steps.began_ms)
    before: tuple[Step, ...] = (
        Step("waited", steps.slot_ms),
        Step("submitted", steps.submitted_ms),
        Step("accepted", steps.accepted_ms),
    )
    yield from (step for step in before if step.at_ms)
    if job.state in {"paid", "finished"}:
        yield Step("paid", steps.settled_ms)
    if job.state == "finished":
        yield Step("banked", steps.finished_ms)
    if job.state in {"released", "refused", "unknown"}:
        ended: dict[str, StepName] = {
            "released": "released", "refused": "refused", "unknown": "unknown",
        }  # fmt: skip
        yield Step(ended[job.state], steps.settled_ms)
