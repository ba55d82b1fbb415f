"""The workshop: everything in a process that works on calls and kept requests, put together."""

import msgspec

from falgate.core.calendar import Calendar
from falgate.flow.answer import Answers
from falgate.flow.cancelling import Cancelling
from falgate.flow.claims import Claims
from falgate.flow.driving import Driver
from falgate.flow.flights import Flights
from falgate.flow.polls import Polls
from falgate.flow.ports import Ports
from falgate.flow.purchase import Purchases
from falgate.flow.queue import Queue
from falgate.flow.together import Together
from falgate.flow.wakes import Wakes

_SHORT_S = 2.0


class Workshop(msgspec.Struct, frozen=True, kw_only=True):
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
    purchases: Purchases
    flights: Flights
    wakes: Wakes
    answers: Answers
    driver: Driver
    queue: Queue
    polls: Polls
    cancelling: Cancelling
    together: Together

    def wake(self, name: str) -> None:
        """Something happened to a job or a request."""
        self.flights.wake(name)
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


def workshop(
    ports: Ports,
    *,
    calendar: Calendar,
    lease_s: float,
    start_within_s: float,
    wait_s: float,
    kept_s: int,
    distinct_wait_s: float = 0,
) -> Workshop:
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
    flights, wakes = Flights(ports.jobs), Wakes()
    together = Together(ports.places, wait_s=distinct_wait_s)
    claims = Claims(ports, calendar, together, start_within_s=start_within_s)
    waits = {"lease_s": lease_s, "start_within_s": start_within_s}
    purchases = Purchases(ports, flights.wake, kept_s=kept_s, **waits)
    driver = Driver(ports, purchases, flights, claims, **waits)
    polls = Polls(ports, wakes, together)
    return Workshop(
        ports=ports,
        purchases=purchases,
        flights=flights,
        wakes=wakes,
        answers=Answers(ports, purchases, flights, claims, wait_s=wait_s),
        driver=driver,
        queue=Queue(
            ports, purchases, claims, driver, wakes, start_within_s=start_within_s, wait_s=wait_s
        ),
        polls=polls,
        cancelling=Cancelling(ports, purchases, polls, together),
        together=together,
    )
