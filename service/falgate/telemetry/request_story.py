"""All that is known of one request: its entry, its path, its job, its money, its pictures."""

from typing import Protocol

import msgspec

from falgate.core.picture import Picture
from falgate.core.problems import NotFound
from falgate.jobs.job import Job
from falgate.jobs.request import QueuedRequest
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.request_log import RequestLog
from falgate.telemetry.request_path import JobSteps, Step, leads, path
from falgate.telemetry.store.request_records import LedgerEntry

_NONE = (
    "There is no such request: it is too old, it was one of many equal ones, or it is still under "
    "way"
)


class Records(Protocol):
    """What Redis has of requests and jobs. Without Redis: `Unavailable`."""

    async def kept(self, request_id: str) -> QueuedRequest | None:
        """Return a queued request as it is kept; None if there is none."""

    async def job(self, job_id: str) -> tuple[Job, JobSteps, list[LedgerEntry]] | None:
        """Return a job, its steps, and its ledger entries; None if it is gone."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    Attributes:
        request: Its entry; None for a queued request that has not ended, or whose entry is gone.
        kept: The queued request; None if it is none, or no longer kept.
        path: Its steps.
        job: The job that it waited for, unless there was none or it is gone.
        leads: Whether the job was begun for it.
        ledger: The job's entries, each with its id.
        pictures: Those that it got, if it is kept; else those that its job bought.
    """

    request: LoggedRequest | None
    kept: QueuedRequest | None
    path: list[Step]
    job: Job | None
    leads: bool
    ledger: list[LedgerEntry]
    pictures: tuple[Picture, ...]


class Requests:
    """The requests of the last days: their log, and each of them by its id."""

    def __init__(self, log: RequestLog, records: Records) -> None:
        """Read these.

        Args:
            log: The log.
            records: The queued requests, and the jobs.
        """
        self.log = log
        self._records = records

    async def tell(self, request_id: str, team: str = "") -> Story:
        """Return what is known of a request, perhaps only if it is a team's.

        Raises:
            NotFound: Nothing, or it is another team's.
            Unavailable: Without Redis.
        """
        one = await self.log.find(request_id, team)
        kept = await self._records.kept(request_id)
        if kept is not None and team not in {"", kept.asked.team}:
            kept = None
        if one is None and kept is None:
            raise NotFound(_NONE)
        job_id = kept.job if kept is not None else one.job if one is not None else ""
        found = await self._records.job(job_id) if job_id else None
        job, steps, ledger = found or (None, JobSteps(), [])
        return Story(
            request=one,
            kept=kept,
            path=path(one, kept, job, steps),
            job=job,
            leads=job is not None and leads(one, kept),
            ledger=ledger,
            pictures=_pictures(kept, job),
        )


def _pictures(kept: QueuedRequest | None, job: Job | None) -> tuple[Picture, ...]:
    if kept is not None and kept.answer is not None:
        return kept.answer.pictures
    return job.pictures if job is not None else ()
