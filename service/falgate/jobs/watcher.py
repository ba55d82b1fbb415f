"""Waiting for a job, whichever instance works on it; all waiters of a process share one look."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from falgate.core.errors import TimedOut, Unavailable
from falgate.jobs.job import Job
from falgate.jobs.notifier import Notifier, Subscription, end_of
from falgate.jobs.ports import Jobs

LOOK_AGAIN_S = 1.0
LOOK_AGAIN_S_MAX = 15.0
"""Wake-ups may be lost, so a watch also looks by itself, at growing intervals."""
IN_TROUBLE_S = 2.0
"""How often waiters that have time look at a job whose outcome is unknown, in seconds."""


class Gone(Exception):
    """The job has been deleted."""


class _Watch:
    """One job that is waited for."""

    def __init__(self, alarm: Subscription) -> None:
        self.waiters = 0
        self.alarm = alarm
        self.task: asyncio.Task[Job] | None = None


class JobWatcher:
    """The jobs that this process waits for."""

    def __init__(self, jobs: Jobs, notifier: Notifier) -> None:
        self._jobs = jobs
        self._notifier = notifier
        self._watches: dict[str, _Watch] = {}

    async def ended(self, job_id: str, deadline_s: float, *, begun_here: bool = False) -> Job:
        """Wait until a job has ended or is in trouble.

        Args:
            job_id: Id of the job.
            deadline_s: By the event loop's clock.
            begun_here: Whether this process has just begun the job: it will be woken by it, so the
                first look is left out.

        Raises:
            TimedOut: The job takes longer.
            Unavailable: This process is about to end.
            Gone: The job has been deleted.
        """
        closing = asyncio.create_task(self._notifier.closing.wait())
        try:
            with self._watching(job_id, look=not begun_here) as task:
                left_s = deadline_s - asyncio.get_running_loop().time()
                await asyncio.wait(
                    {task, closing}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
                )
                if task.done():
                    return task.result()
        finally:
            closing.cancel()
        if closing.done():
            raise Unavailable("falgate is restarting; the purchase continues, try again")
        raise TimedOut("The pictures are still being made; repeat the request to get them")

    async def settled(self, job_id: str) -> Job:
        """Wait without a limit until it is known what a job brings; raises `Gone`."""
        while True:
            with self._watching(job_id) as task:
                await asyncio.wait({task})
                job = task.result()
            if job.ended or job.state == "paid":
                return job
            await asyncio.sleep(IN_TROUBLE_S)

    @contextmanager
    def _watching(self, job_id: str, *, look: bool = True) -> Iterator[asyncio.Task[Job]]:
        """Return the one task that follows a job for all its waiters."""
        if (watch := self._watches.get(job_id)) is None:
            watch = self._watches[job_id] = _Watch(self._notifier.set(end_of(job_id)))
        watch.waiters += 1
        if watch.task is None:
            watch.task = asyncio.create_task(self._follow(job_id, watch, look=look))
        try:
            yield watch.task
        finally:
            watch.waiters -= 1
            # A later waiter may have begun another watch of the same job.
            if not watch.waiters or watch.task.done():
                watch.task.cancel()
                self._notifier.stop(watch.alarm)
                if self._watches.get(job_id) is watch:
                    del self._watches[job_id]

    async def _follow(self, job_id: str, watch: _Watch, *, look: bool) -> Job:
        pause_s = LOOK_AGAIN_S
        while True:
            if look:
                watch.alarm.event.clear()
                if job := await self._news(job_id):
                    return job
            look = True
            if not await watch.alarm.sleep(pause_s):
                pause_s = min(2 * pause_s, LOOK_AGAIN_S_MAX)

    async def _news(self, job_id: str) -> Job | None:
        """Read a job; None while it is under way, and without Redis; raises `Gone`."""
        try:
            job = await self._jobs.read(job_id)
        except Unavailable:
            # The job's worker retries until Redis is back; the deadline bounds the wait.
            return None
        if job is None:
            raise Gone
        return job if job.ended or job.trouble else None
