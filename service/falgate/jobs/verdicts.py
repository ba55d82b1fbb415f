"""Verdicts: the possible answers to asking for a flight and a hold, one type for each."""

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
from falgate.money.stop import Stopped


class Held(msgspec.Struct, frozen=True, eq=False):
    """The caller has the flight and the hold, with epoch 1.

    Two are equal if they say the same about budgets, whichever jobs they are of.

    Attributes:
        overdrawn: Shadow budgets that cannot pay for it.
        job: As this call wrote it. None if an earlier call did, whose reply was lost; another
            instance may have adopted the job since then.
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
    """Another request's job is buying for this fingerprint.

    Attributes:
        job: Id of that job.
        flight: Flight of that job, if it is not the one that was asked for; else "".
    """

    job: str
    flight: str = ""


class Crowded(msgspec.Struct, frozen=True):
    """The flight is taken and its pictures are for others; ask for a flight beside it."""


class PoolChanged(msgspec.Struct, frozen=True):
    """A job has published since the caller read the pool: read it again, then ask with these."""

    generation: int
    count: int


class Vacant(msgspec.Struct, frozen=True):
    """Nobody is buying for this fingerprint, and the caller only wanted to join."""


class Denied(msgspec.Struct, frozen=True):
    """A budget cannot pay for it. All in micro-USD."""

    account: Account
    window: Window
    limit: Micros
    spent: Micros
    held: Micros


class NoBudget(msgspec.Struct, frozen=True):
    """The organisation has no enforced budget; without one, nothing is bought."""


class OverageFull(msgspec.Struct, frozen=True):
    """Settlements exceeded their holds by the overage limit. In micro-USD."""

    limit: Micros
    overrun: Micros


class LedgerMismatch(msgspec.Struct, frozen=True):
    """The ledger in Redis is not the one that this instance started with."""


class OtherCalendar(msgspec.Struct, frozen=True):
    """The ledger's windows follow another time zone or week than this instance's."""

    name: str


class Repeated(msgspec.Struct, frozen=True):
    """An equal request is stored, with this id; nothing was claimed or held."""

    request: str


class Mismatched(msgspec.Struct, frozen=True):
    """The idempotency key is that of a request with another body."""


class Ended(msgspec.Struct, frozen=True):
    """The request that wants the flight has ended meanwhile; nothing was claimed or held."""


Verdict = (
    Held
    | Joined
    | Crowded
    | PoolChanged
    | Vacant
    | Repeated
    | Mismatched
    | Ended
    | Stopped
    | Denied
    | Exceeded
    | NoBudget
    | OverageFull
    | LedgerMismatch
    | Frozen
    | OtherCalendar
)


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to store in the step that claims a flight for it.

    Attributes:
        asked: The request.
        pool: The pictures that the pool has already.
        was_job: The job that it had before, if it is stored already and tries again.
        digest: Hash of everything that makes another request equal to it.
        repeats_ms: How long after its end an equal request finds it; 0 for as long as it is stored.
    """

    asked: RequestSpec
    pool: tuple[Picture, ...] = ()
    was_job: str = ""
    digest: str = ""
    repeats_ms: int = 0


class Waiter(msgspec.Struct, frozen=True, kw_only=True):
    """The request that asks for a flight; while it waits, its job is not given up.

    Attributes:
        request: Id of the request.
        patience_ms: How long it counts as waiting; a queued request does so until it ends.
        keep: The request, if it is to be stored.
        joins: Whether it only joins a purchase under way, and buys nothing yet.
    """

    request: str
    patience_ms: int = 0
    keep: NewRequest | None = None
    joins: bool = False


NOBODY = Waiter(request="")
"""For a purchase that no request waits for."""
