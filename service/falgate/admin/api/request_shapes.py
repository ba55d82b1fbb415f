"""JSON representations of logged requests: in lists, and on a page of their own."""

from typing import Annotated, Self

from msgspec import Meta

from falgate.accounts.operator import Operator
from falgate.admin.api.ledger import EntryShown, entry_shown
from falgate.admin.api.shapes import Usd, View, instant_ms
from falgate.core.money import dollars
from falgate.jobs.job import Job, State
from falgate.jobs.request import QueuedRequest
from falgate.jobs.request import State as QueuedState
from falgate.telemetry.logged_request import LoggedRequest, Outcome
from falgate.telemetry.request_path import StepName, headers
from falgate.telemetry.request_story import Story
from falgate.webhooks.target import without_query

_OK = 200


class RequestShown(View, frozen=True, kw_only=True):
    """A request, or several equal ones of which one is shown."""

    id: str
    at: str
    outcome: Outcome
    status: int
    reason: Annotated[str | None, Meta(description="Why it was refused")]
    error_type: str | None
    about: Annotated[dict[str, str], Meta(description="Which budget, limit or stop refused")]
    route: str
    model: str | None
    upstream: str | None
    team: Annotated[str | None, Meta(description="null: its key is unknown")]
    app: str | None
    key: str | None
    number: Annotated[
        int, Meta(description="How many requests it stands for; pictures and money are of them all")
    ]
    pictures: int
    bought: int
    billed_usd: Usd
    saved_usd: Usd
    took_ms: float
    waited_ms: float
    job: str | None
    fingerprint: Annotated[str | None, Meta(description="Of the pool that its pictures are from")]

    @classmethod
    def by(cls, one: LoggedRequest) -> Self:
        """Convert a request of the log."""
        may_lack = ("reason", "error_type", "model", "upstream", "team", "app", "key", "job")
        lacking = {name: getattr(one, name) or None for name in (*may_lack, "fingerprint")}
        return cls.of(one, at=instant_ms(one.at_ms), **lacking)


class QueuedShown(View, frozen=True, kw_only=True):
    """A request to the queue, as it is kept."""

    state: QueuedState
    team: str
    app: str
    key: str
    model: str
    upstream: str
    began_at: str
    ended_at: str | None
    status: Annotated[int | None, Meta(description="Of its result; null while it is open")]
    job: str | None
    webhook: Annotated[str | None, Meta(description="Its URL without its query")]

    @classmethod
    def by(cls, kept: QueuedRequest) -> Self:
        """Convert a queued request."""
        asked = kept.asked
        done = _OK if kept.answer is not None else None
        return cls(
            state=kept.state,
            team=asked.team,
            app=asked.app,
            key=asked.key,
            model=asked.endpoint,
            upstream=asked.upstream,
            began_at=instant_ms(kept.began_ms) or "",
            ended_at=instant_ms(kept.ended_ms),
            status=kept.failure.status if kept.failure is not None else done,
            job=kept.job or None,
            webhook=without_query(asked.webhook) if asked.webhook else None,
        )


class StepShown(View, frozen=True, kw_only=True):
    """A step of a request."""

    step: StepName
    at: Annotated[str | None, Meta(description="null: its time is not recorded")]


class JobShown(View, frozen=True, kw_only=True):
    """The purchase that a request waited for."""

    id: str
    state: State
    leads: Annotated[bool, Meta(description="Whether it was begun for this request")]
    team: str
    app: str
    model: str
    upstream: str
    upstream_request_id: str | None
    ordered: Annotated[int, Meta(description="Pictures that it buys")]
    held_usd: Usd
    charged_usd: Usd
    overrun_usd: Usd
    why: Annotated[str, Meta(description="Why it was needed", examples=["miss"])]
    trouble: str | None
    fingerprint: str

    @classmethod
    def by(cls, job: Job, *, leads: bool) -> Self:
        """Convert a job."""
        order = job.order
        return cls.of(
            job,
            id=order.id,
            leads=leads,
            team=order.team,
            app=order.app,
            model=order.endpoint,
            upstream=order.upstream,
            upstream_request_id=job.request_id or None,
            ordered=order.number,
            held_usd=dollars(order.held),
            why=order.why,
            trouble=job.trouble or None,
            fingerprint=order.fingerprint,
        )


class PictureOf(View, frozen=True, kw_only=True):
    """A picture of a request."""

    name: str
    content_type: str
    width: int
    height: int
    size_bytes: int


class RequestPage(View, frozen=True, kw_only=True):
    """Everything that is known of a request."""

    request: Annotated[RequestShown | None, Meta(description="null: still open, or aged out")]
    queued: Annotated[QueuedShown | None, Meta(description="null: not queued, or not kept")]
    path: list[StepShown]
    headers: Annotated[
        dict[str, str], Meta(description="Headers of its response that its record decides")
    ]
    job: Annotated[JobShown | None, Meta(description="null also for a lead whose team's it is not")]
    ledger: Annotated[list[EntryShown], Meta(description="The job's closing entry")]
    pictures: Annotated[
        list[PictureOf],
        Meta(description="Those that a queued request got, or else those that the job bought"),
    ]

    @classmethod
    def by(cls, story: Story, *, seen_by: Operator) -> Self:
        """Convert what is known, without another team's money if a lead asks."""
        one, kept, job = story.request, story.kept, story.job
        if job is not None and seen_by.role == "lead" and job.order.team != seen_by.team:
            job = None
        return cls(
            request=None if one is None else RequestShown.by(one),
            queued=None if kept is None else QueuedShown.by(kept),
            path=[StepShown(step=each.name, at=instant_ms(each.at_ms)) for each in story.path],
            headers={} if one is None else headers(one),
            job=None if job is None else JobShown.by(job, leads=story.leads),
            ledger=[] if job is None else [entry_shown(*each) for each in story.ledger],
            pictures=[PictureOf.of(each) for each in story.pictures],
        )
