"""Waiting for a job, whoever works on it: one look at Redis serves all who wait in this process."""

import asyncio

from falgate.core.errors import TimedOut, Unavailable
from falgate.core.job import Job
from falgate.flow.ports import Jobs

LOOK_AGAIN_S = 1.0
"""Wake-ups may be lost, so that a waiter also looks by itself."""


class Gone(Exception):
    """The job is not there any more."""


class _Watch:
    """One job that is waited for."""

    def __init__(self) -> None:
        self.waiters = 0
        self.woken = asyncio.Event()
        self.task: asyncio.Task[Job] | None = None


class Flights:
    """The jobs that this process waits for."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._watches: dict[str, _Watch] = {}
        self._closing = asyncio.Event()

    def wake(self, job_id: str) -> None:
        """Look at a job now: somebody said that something happened to it."""
        if watch := self._watches.get(job_id):
            watch.woken.set()

    def close(self) -> None:
        """Let every waiter go: this process is about to end. The jobs themselves go on."""
        self._closing.set()

    async def ended(self, job_id: str, deadline_s: float) -> Job:
        """Wait until a job has ended or is in trouble.

        Args:
            job_id: Which.
            deadline_s: Of the event loop's clock.

        Raises:
            TimedOut: It goes on for longer.
            Unavailable: This process is about to end.
            Gone: It was forgotten.
        """
        watch = self._watches.setdefault(job_id, _Watch())
        watch.waiters += 1
        if watch.task is None:
            watch.task = asyncio.create_task(self._follow(job_id, watch))
        closing = asyncio.create_task(self._closing.wait())
        try:
            left_s = deadline_s - asyncio.get_running_loop().time()
            await asyncio.wait(
                {watch.task, closing}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
            if watch.task.done():
                return watch.task.result()
            if closing.done():
                raise Unavailable("falgate is restarting; the purchase goes on, ask again")
            raise TimedOut("The pictures are still being made; ask again to get them")
        finally:
            closing.cancel()
            watch.waiters -= 1
            if not watch.waiters:
                watch.task.cancel()
                self._watches.pop(job_id, None)

    async def _follow(self, job_id: str, watch: _Watch) -> Job:
        while True:
            watch.woken.clear()
            try:
                job = await self._jobs.read(job_id)
                if job is None:
                    raise Gone
                if job.ended or job.trouble:
                    return job
            except Unavailable:
                # The one who works on the job insists too; the deadline bounds the wait.
                pass
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await watch.woken.wait()
            except TimeoutError:
                continue
