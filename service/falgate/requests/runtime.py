"""The runtime objects of one process: everything that serves requests, wired together."""

import msgspec

from falgate.core.calendar import Calendar
from falgate.jobs.acquire import Claims
from falgate.jobs.notifier import Notifier, end_of
from falgate.jobs.places import PlaceKeeper
from falgate.jobs.ports import Ports
from falgate.jobs.watcher import JobWatcher
from falgate.jobs.worker import JobWorker
from falgate.requests.cancel import CancelService
from falgate.requests.status import StatusService
from falgate.requests.submit import SubmitService
from falgate.requests.sync import SyncService
from falgate.requests.worker import RequestWorker

_SHORT_S = 2.0


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """The services of one process.

    Attributes:
        ports: The ports of the request flow.
        purchases: Runs jobs.
        flights: Waits for jobs.
        wakes: Notifies those that wait for a request or a job.
        answers: Answers callers that wait on a connection.
        driver: Runs queued requests.
        queue: Accepts queued requests.
        polls: Tells the status of queued requests.
        cancelling: Cancels queued requests.
        together: Assigns pictures to requests that must not share them.
    """

    ports: Ports
    purchases: JobWorker
    flights: JobWatcher
    wakes: Notifier
    answers: SyncService
    driver: RequestWorker
    queue: SubmitService
    polls: StatusService
    cancelling: CancelService
    together: PlaceKeeper

    def wake(self, name: str) -> None:
        """Notify waiters that a job has ended or is in trouble, or that a request has ended."""
        self.wakes.wake(end_of(name))
        self.wakes.wake(name)

    async def close(self) -> None:
        """Wait shortly for jobs to end, and hand over everything else at once."""
        await self.purchases.close(_SHORT_S)
        await self.driver.close()
        await self.answers.close()
        await self.together.close()


def runtime(
    ports: Ports,
    *,
    calendar: Calendar,
    lease_s: float,
    start_within_s: float,
    wait_s: float,
    kept_s: int,
    distinct_wait_s: float = 0,
) -> Runtime:
    """Build the services of a process.

    Args:
        ports: The ports of the request flow.
        calendar: Tells when a budget resets.
        lease_s: Duration of the leases of jobs and requests, in seconds.
        start_within_s: How long a purchase may wait to be started if its caller set no limit, in
            seconds.
        wait_s: How long a caller on a connection waits for pictures, in seconds.
        kept_s: How long a pool keeps a picture, in seconds.
        distinct_wait_s: Minimum duration of answers to requests that get pictures of their own, in
            seconds.
    """
    wakes = Notifier()
    flights = JobWatcher(ports.jobs, wakes)
    together = PlaceKeeper(ports.places, wait_s=distinct_wait_s)
    claims = Claims(ports, calendar, together, start_within_s=start_within_s)
    waits = {"lease_s": lease_s, "start_within_s": start_within_s}
    purchases = JobWorker(ports, wakes, kept_s=kept_s, **waits)
    driver = RequestWorker(ports, purchases, flights, claims, **waits)
    polls = StatusService(ports, wakes, together)
    return Runtime(
        ports=ports,
        purchases=purchases,
        flights=flights,
        wakes=wakes,
        answers=SyncService(ports, purchases, flights, claims, wait_s=wait_s),
        driver=driver,
        queue=SubmitService(
            ports, purchases, claims, driver, wakes, start_within_s=start_within_s, wait_s=wait_s
        ),
        polls=polls,
        cancelling=CancelService(ports, purchases, polls, together),
        together=together,
    )
