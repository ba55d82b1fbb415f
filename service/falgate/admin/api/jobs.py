"""/jobs: the jobs under way, the oldest first."""

from typing import Annotated

import msgspec
from litestar.di import NamedDependency
from msgspec import Meta

from falgate.admin.api.paging import LIMIT, Limit
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting
from falgate.admin.api.shapes import View, instant_ms
from falgate.admin.api.team_query import OfApp, OfTeam
from falgate.jobs.under_way import JobsUnderWay, JobUnderWay, Step
from falgate.money.figures import subject

routes = Resource("jobs")


class JobShown(View, frozen=True, kw_only=True):
    """A job under way: one purchase, without what it asks for."""

    id: str
    team: str
    app: str
    key: str
    model: str
    number: Annotated[int, Meta(description="How many pictures it buys")]
    held_usd: str
    why: str
    step: Annotated[
        Step,
        Meta(
            description="waiting for a slot; starting, with a slot; sending, to fal; at_fal; "
            "storing, paid and its pictures are being stored"
        ),
    ]
    position: Annotated[
        int | None, Meta(description="Jobs before it in the queue for slots, if it waits for one")
    ]
    request_id: Annotated[str, Meta(description="fal's id; empty before fal has it")]
    began_at: str | None
    age_s: int
    submitted_at: str | None
    lease_until: Annotated[
        str | None, Meta(description="Afterwards, another instance takes it over")
    ]
    trouble: Annotated[
        str,
        Meta(
            description="lost: its outcome is looked for at fal; unbanked: its pictures could not "
            "be stored yet; empty: none"
        ),
    ]
    troubled_at: str | None

    @classmethod
    def as_of(cls, now_ms: int, job: JobUnderWay) -> "JobShown":
        """Convert a job as of `now_ms`."""
        return cls.of(
            job,
            began_at=instant_ms(job.began_ms),
            age_s=max(0, now_ms - job.began_ms) // 1000,
            submitted_at=instant_ms(job.submitted_ms),
            lease_until=instant_ms(job.lease_ms),
            troubled_at=instant_ms(job.troubled_ms),
        )


class JobsShown(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs under way."""

    items: list[JobShown]
    total: Annotated[int, Meta(description="Jobs that match, of those that were looked at")]
    complete: Annotated[
        bool, Meta(description="Whether all were looked at: 500 are, whose leases end first")
    ]


@routes.get("/jobs", "List jobs under way", 409, lead=True)
async def list_jobs(
    *,
    under_way: NamedDependency[JobsUnderWay],
    upstream: NamedDependency[str],
    acting: Acting,
    limit: Limit = LIMIT,
    team: OfTeam = "",
    app: OfApp = "",
) -> JobsShown:
    """The oldest first, with the step of each and since when it is under way."""
    of, _, name = subject(acting.of_theirs(team, or_app=False), app).partition("/")
    found = await under_way.list(upstream, team=of, app=f"{of}/{name}" if name else "")
    now_ms = found.queue.now_ms
    return JobsShown(
        items=[JobShown.as_of(now_ms, job) for job in found.jobs[:limit]],
        total=len(found.jobs),
        complete=found.complete,
    )
