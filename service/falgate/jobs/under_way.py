"""Jobs under way, as people see them: whose, at which step, and since when."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec

from falgate.cache.decision import Why
from falgate.core.account import Account
from falgate.core.money import Micros
from falgate.jobs.job import State, Trouble

Step = Literal["waiting", "starting", "sending", "at_fal", "storing"]
"""waiting: for a slot. starting: it has a slot. sending: the submit may have been sent. at_fal: fal
has it. storing: it is paid, and its pictures are being fetched and stored."""

LOOKED_MAX = 500
"""How many open jobs are looked at, those first whose leases end first."""

_STEPS: dict[State, Step] = {"submitting": "sending", "accepted": "at_fal", "paid": "storing"}


class JobUnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """An open job, without what it asks for.

    Attributes:
        id: The job's id.
        team: Who pays; likewise `app` and `key`.
        model: The endpoint.
        number: How many pictures it buys.
        held: What is held for it, micro-USD; spent already while it is storing.
        why: Why it was needed.
        step: See `Step`.
        position: How many jobs are before it in the queue for slots; None if it is not there.
        request_id: fal's id, or "".
        began_ms: When its money was held, Redis's time.
        submitted_ms: When it was sent; 0 if it was not yet.
        lease_ms: Until when an instance works on it, if that one does not renew its lease.
        trouble: Why waiting for it is of no use now, or "".
        troubled_ms: Since when; 0 without trouble.
    """

    id: str
    team: str
    app: str
    key: str
    model: str
    number: int
    held: Micros
    why: Why
    step: Step
    position: int | None
    request_id: str
    began_ms: int
    submitted_ms: int
    lease_ms: int
    trouble: Trouble
    troubled_ms: int


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs an upstream has.

    Attributes:
        now_ms: Redis's time.
        open: Open jobs.
        waiting: Those that wait for a slot.
        slots: Those that have one.
    """

    now_ms: int
    open: int
    waiting: int
    slots: int


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs under way that were looked for.

    Attributes:
        jobs: Those that match, the oldest first.
        queue: How many there are in all.
    """

    jobs: Sequence[JobUnderWay]
    queue: Queue

    @property
    def complete(self) -> bool:
        """Whether every open job was looked at."""
        return self.queue.open <= LOOKED_MAX


@runtime_checkable
class JobsUnderWay(Protocol):
    """Open jobs of all upstreams. Without Redis, methods raise `Unavailable`."""

    async def queue(self, upstream: str) -> Queue:
        """Return how many jobs are open, wait and have a slot."""

    async def held(self, upstream: str, charged: Account) -> int:
        """Return how many jobs hold money on an account."""

    async def list(self, upstream: str, *, team: str = "", app: str = "") -> Listed:
        """Return the open jobs of a team or an app ("team/app"), or all, at most `LOOKED_MAX`."""


def step(state: State, *, waits: bool) -> Step:
    """Return the step of a job in this state."""
    return _STEPS.get(state, "waiting" if waits else "starting")
