"""What asking for a flight and a hold can be answered with: one value for each case."""

import msgspec

from falgate.accounts.limits import Exceeded
from falgate.core.account import Account
from falgate.core.calendar import Window
from falgate.core.events import Overdrawn
from falgate.core.money import Micros
from falgate.core.picture import Picture
from falgate.jobs.job import Job
from falgate.jobs.request import RequestSpec
from falgate.money.frozen import Frozen


class Held(msgspec.Struct, frozen=True, eq=False):
    """The flight and the money are the caller's, under epoch 1.

    Two are equal where they say the same of budgets, whichever job they are of.

    Attributes:
        overdrawn: Shadow budgets that have no room for it.
        job: As it was written by this very call; None where a call before it did that, whose answer
            was lost: by now another instance may have adopted the job.
        has_slot: Whether the upstream has room for it at once.
    """

    overdrawn: tuple[Overdrawn, ...] = ()
    job: Job | None = None
    has_slot: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self.overdrawn == other.overdrawn

    def __hash__(self) -> int:
        return hash(self.overdrawn)


class Joined(msgspec.Struct, frozen=True):
    """Somebody else is buying for this fingerprint.

    Attributes:
        job: What brings the pictures.
        flight: Of that job, where it is not the one that was asked for; else "".
    """

    job: str
    flight: str = ""


class Crowded(msgspec.Struct, frozen=True):
    """The flight is taken, and what it brings is for others: one of its own has to be asked for."""


class PoolChanged(msgspec.Struct, frozen=True):
    """A flight has published since the caller read the pool: read it again, then ask with these."""

    generation: int
    count: int


class Vacant(msgspec.Struct, frozen=True):
    """Nobody is buying for this fingerprint, and the caller only asked for company."""


class Denied(msgspec.Struct, frozen=True):
    """A budget has no room. All in micro-USD."""

    account: Account
    window: Window
    limit: Micros
    spent: Micros
    held: Micros


class NoBudget(msgspec.Struct, frozen=True):
    """The organisation has no enforced budget, and without one nothing is bought."""


class HouseFull(msgspec.Struct, frozen=True):
    """Settlements exceeded their holds by as much as the house allows. Micro-USD."""

    limit: Micros
    overrun: Micros


class LedgerMismatch(msgspec.Struct, frozen=True):
    """The ledger in Redis is not the one that this instance started with."""


class OtherCalendar(msgspec.Struct, frozen=True):
    """The ledger counts its windows by another zone or week than this instance."""

    name: str


class Repeated(msgspec.Struct, frozen=True):
    """An equal request was kept before, and this is its id: nothing was claimed or held."""

    request: str


class Mismatched(msgspec.Struct, frozen=True):
    """The idempotency key stands for a request with another body."""


class Ended(msgspec.Struct, frozen=True):
    """The request that the flight is for has ended meanwhile: nothing was claimed or held."""


Verdict = (
    Held
    | Joined
    | Crowded
    | PoolChanged
    | Vacant
    | Repeated
    | Mismatched
    | Ended
    | Denied
    | Exceeded
    | NoBudget
    | HouseFull
    | LedgerMismatch
    | Frozen
    | OtherCalendar
)


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is to be kept in the step that claims a flight for it.

    Attributes:
        asked: The request.
        pool: The pictures that are there already.
        was_job: The job that it had before, if it is kept already and tries again.
        digest: Of all that makes another request equal to it.
        repeats_ms: How long after its end an equal one still finds it; 0: while it is kept.
    """

    asked: RequestSpec
    pool: tuple[Picture, ...] = ()
    was_job: str = ""
    digest: str = ""
    repeats_ms: int = 0


class Waiter(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a flight: its job is not given up under them.

    Attributes:
        request: Id of the request.
        patience_ms: How long it counts as waiting; a kept one does until it ends.
        keep: The request, if it is to be kept.
        joins: Whether they only join what somebody else is buying, and buy nothing yet.
    """

    request: str
    patience_ms: int = 0
    keep: NewRequest | None = None
    joins: bool = False


NOBODY = Waiter(request="")
"""A purchase that nobody waits for."""
