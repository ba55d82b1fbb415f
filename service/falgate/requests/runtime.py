"""The workshop: everything in a process that works on calls and kept requests, put together."""

import msgspec

from falgate.core.calendar import Calendar
from falgate.jobs.acquire import Claims
from falgate.jobs.notifier import Notifier
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
    """Who works on what.

    Attributes:
        ports: The world.
        purchases: Buys.
        flights: Waits for jobs.
        wakes: Waits for requests.
        answers: Answers who is on the line.
        driver: Looks after kept requests.
        queue: Takes them.
        polls: Tells how they stand.
        cancelling: Takes them back.
        together: Knows whose pictures are for whom.
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
        """A job has ended or is in trouble, or a request has ended."""
        self.flights.wake(name)
        self.moved(name)

    def moved(self, name: str) -> None:
        """A job is further than it was."""
        self.purchases.turns.wake(name)
        self.wakes.wake(name)

    def wake_all(self) -> None:
        """Anything may have happened: for a while nothing was heard."""
        self.flights.wake_all()
        self.purchases.turns.wake_all()
        self.wakes.wake_all()

    def let_go(self) -> None:
        """Let everybody go who waits for something: this process is about to end."""
        self.flights.close()
        self.wakes.close()

    async def close(self) -> None:
        """Finish what is short, and hand over all else at once."""
        await self.purchases.close(_SHORT_S)
        await self.driver.close()
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
    """Put one together.

    Args:
        ports: The world.
        calendar: Words when a budget starts anew.
        lease_s: How long a job or a request is this process's without renewal.
        start_within_s: How long a purchase may wait to be started where nobody said.
        wait_s: How long a caller on the line waits for pictures.
        kept_s: How long a pool has a picture.
        distinct_wait_s: How long an answer takes at least, of those that are to be distinct.
    """
    flights, wakes = JobWatcher(ports.jobs), Notifier()
    together = PlaceKeeper(ports.places, wait_s=distinct_wait_s)
    claims = Claims(ports, calendar, together, start_within_s=start_within_s)
    waits = {"lease_s": lease_s, "start_within_s": start_within_s}
    purchases = JobWorker(ports, flights.wake, kept_s=kept_s, **waits)
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
