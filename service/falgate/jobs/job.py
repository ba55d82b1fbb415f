"""A job: one purchase, its states and the transitions between them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from falgate.cache.decision import Why
from falgate.cache.policy import Refresh
from falgate.core.account import Account, chain
from falgate.core.picture import Picture
from falgate.fal.options import Priority
from falgate.fal.replies import FalAnswer

State = Literal[
    "reserved",
    "submitting",
    "accepted",
    "paid",
    "finished",
    "refused",
    "released",
    "unknown",
]
"""The state of a purchase.

reserved: money is held and nothing was sent. submitting: marked; the request may have been sent.
accepted: fal's id is recorded. paid: the money is settled, but not all pictures are stored. Ends:
finished (the pictures are stored), refused (fal refused, for followers too), released (nothing was
bought; followers may try again), unknown (charged in full because the outcome never became known).
"""

MOVES: Mapping[State, frozenset[State]] = {
    # Straight to accepted: fal's answer arrived, and Redis has lost the mark before the submit.
    "reserved": frozenset({"submitting", "accepted", "released"}),
    "submitting": frozenset({"accepted", "refused", "released", "unknown"}),
    "accepted": frozenset({"paid", "refused", "released", "unknown"}),
    "paid": frozenset({"finished"}),
    "finished": frozenset(),
    "refused": frozenset(),
    "released": frozenset(),
    "unknown": frozenset(),
}

ENDS = frozenset(state for state, onward in MOVES.items() if not onward)

Trouble = Literal["", "lost", "unbanked"]
"""Why waiting for a job is of no use now: "lost" if its outcome is not known, "unbanked" if its
pictures could not be stored yet, so that fal's own URLs are handed out."""


class Fenced(Exception):
    """The job is no longer the caller's: its lease ran out, and another instance has it."""


class NotDurable(Exception):
    """The mark before a submit may be lost in a crash, so nothing was or may be sent."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be bought, and for whom; complete before the job exists, and never changed after.

    Attributes:
        id: Made by the caller; makes every step of the job idempotent.
        upstream: Name of the upstream that sells it; each has its own ledger.
        endpoint: The model.
        fingerprint: Of the pool that the pictures are for.
        generation: Of that pool, when it was read.
        team: The team that pays.
        app: The app that asked.
        key: Public id of the key that asked.
        asked: Number of pictures that the caller wanted.
        reused: How many of them the pool already had.
        number: How many are bought.
        held: Ceiling of the price, in micro-USD.
        listed: List price of what is bought, in micro-USD.
        price_version: Version of the model's price table.
        input: The body for fal. It contains the prompt and is deleted when the job ends.
        saved: List price of the pictures that are reused, in micro-USD.
        recorded: The arguments that the ledger keeps, never the prompt.
        priority: Here and in fal's queue.
        start_within_s: How long the caller lets it wait to be started, in seconds; 0 if
            unspecified.
        fresh: See `Refresh`.
        why: Why it was needed.
        scope: Name of those who share its pool.
        variation: Label of its pool.
        prompt_sha256: Hex digest of the prompt, by which its pool is found.
        keep_prompt: Whether the prompt is kept with the pictures.
        passed: The caller's headers that are passed on to fal.
        distinct: Whether no other request of its app gets its pictures while its own is open.
        own: Whether it has a flight beside its pool's, because that one is taken.
    """

    id: str
    upstream: str
    endpoint: str
    fingerprint: str
    generation: int
    team: str
    app: str
    key: str
    asked: int
    reused: int
    number: int
    held: int
    listed: int
    price_version: str
    input: dict[str, Any]
    recorded: dict[str, str]
    saved: int = 0
    priority: Priority = "normal"
    start_within_s: float = 0
    fresh: Refresh = ""
    why: Why = "miss"
    scope: str = ""
    variation: str = ""
    prompt_sha256: str = ""
    keep_prompt: bool = False
    passed: dict[str, str] = {}
    distinct: bool = False
    own: bool = False

    def is_twin(self, other: "Order") -> bool:
        """Return whether another order has the same body, so that fal's requests look the same.

        Also compares jobs that have ended, by what is left of their bodies.
        """
        if self.input and other.input and self.input != other.input:
            return False
        mine, its = (
            (it.upstream, it.endpoint, it.number, it.prompt_sha256, it.recorded)
            for it in (self, other)
        )
        return self.id != other.id and mine == its

    @property
    def flight(self) -> str:
        """Return its flight: its pool's, or one of its own if it buys beside other purchases."""
        own = self.fresh or self.own
        return f"{self.fingerprint}.{self.id}" if own else self.fingerprint

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts that its money is to be held on, the organisation first."""
        return chain(self.team, self.app, self.key, self.endpoint)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it was last read.

    Attributes:
        order: What it buys.
        accounts: Those that its money is held on, and that it is charged to. An earlier version did
            not hold it on the model.
        state: See `State`.
        owner: The instance that works on it.
        epoch: Raised at every adoption; writes with an older epoch are refused.
        windows: Names of the budget windows at the time of the hold, such as "day:2026-11-22".
        began_ms: Redis's time of the hold.
        submitted_ms: Redis's time of the mark before the submit; 0 before it.
        request_id: fal's id, or "".
        output: fal's result, once it is read.
        charged: What the budgets were charged, in micro-USD.
        overrun: What the overage account was charged above the hold, in micro-USD.
        remaining: Of the tightest budget after settling, in micro-USD.
        pictures: Those that were stored, in fal's order.
        kept: Whether its pool has them now.
        answer: fal's refusal.
        trouble: See `Trouble`.
        troubled_ms: Redis's time at which its trouble began; 0 if it has none.
    """

    order: Order
    accounts: tuple[Account, ...]
    state: State
    owner: str
    epoch: int
    windows: tuple[str, ...]
    began_ms: int
    submitted_ms: int = 0
    request_id: str = ""
    output: Any = None
    charged: int = 0
    overrun: int = 0
    remaining: int | None = None
    pictures: tuple[Picture, ...] = ()
    kept: bool = False
    answer: FalAnswer | None = None
    trouble: Trouble = ""
    troubled_ms: int = 0

    @property
    def ended(self) -> bool:
        """Return whether it is in a final state."""
        return self.state in ENDS
