"""Waiting for a slot: a job whose money is held waits here until the upstream has room for it."""

import asyncio

from falgate.core.errors import Unavailable
from falgate.jobs.job import Job
from falgate.jobs.notifier import Notifier
from falgate.jobs.ports import Jobs

LOOK_AGAIN_S = 2.0
LOOK_AGAIN_S_MAX = 15.0
"""Wake-ups may be lost, so waiters also look by themselves, at growing intervals."""


class SlotWaiter:
    """The jobs of this process that wait for a slot."""

    def __init__(self, jobs: Jobs, notifier: Notifier) -> None:
        self._jobs = jobs
        self._notifier = notifier

    async def wait(self, job: Job, start_by_s: float) -> bool:
        """Wait until a job has a slot; return False if it has none in time.

        Args:
            job: In state "reserved".
            start_by_s: The deadline, by the event loop's clock.

        Raises:
            Fenced: The job was released meanwhile, or another instance submitted it.
        """
        loop, pause_s = asyncio.get_running_loop(), LOOK_AGAIN_S
        with self._notifier.subscribed(job.order.id) as alarm:
            while True:
                alarm.event.clear()
                try:
                    if await self._jobs.turn(job):
                        return True
                except Unavailable:
                    pass  # Without Redis nobody gets a slot; the deadline bounds the wait.
                left_s = start_by_s - loop.time()
                if left_s <= 0:
                    return False
                if not await alarm.sleep(min(pause_s, left_s)):
                    pause_s = min(2 * pause_s, LOOK_AGAIN_S_MAX)
