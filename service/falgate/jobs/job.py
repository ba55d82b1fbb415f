"""A job: one purchase, its states and the moves between them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from falgate.cache.policy import Refresh
from falgate.core.account import Account, chain
from falgate.core.picture import Picture
from falgate.fal.options import Priority
from falgate.fal.replies import FalAnswer

Why = Literal["miss", "partial", "request"]
"""Why a purchase was needed, in the words of RFC 9211 section 2.2: there was nothing, there was too
little, or the request would not have what there was."""

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
"""Where a purchase stands.

reserved: money is held and nothing was sent. submitting: marked, the request may have left.
accepted: fal's id is recorded. paid: the money is settled, the pictures are not all banked.
Ends: finished (pictures are ours), refused (fal said no, which joiners share), released (nothing
was bought, joiners may try again), unknown (settled in full, nobody knows what happened).
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
"""Why waiting for a job is of no use now: its outcome is not known, or fal's own URLs must do."""


class Fenced(Exception):
    """The job is no longer the caller's: its lease ran out and another instance has it."""


class NotDurable(Exception):
    """The mark before a submit may be lost in a crash: nothing was sent, and nothing may be."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be bought, for whom: settled before the job exists, and never changed after.

    Attributes:
        id: Made by the caller; the key of every idempotent step.
        upstream: Who sells it, and whose books it is in.
        endpoint: The model.
        fingerprint: The pool that it is for.
        generation: Of that pool, when it was read.
        team: Who answers for the money.
        app: Who asked.
        key: Public id of the key that asked.
        asked: Pictures that the caller wanted.
        reused: How many of them the pool already had.
        number: How many are bought.
        held: Ceiling of the price, micro-USD.
        listed: List price of what is bought, micro-USD.
        price_version: Of the model's table.
        input: The body for fal; contains the prompt, is dropped when the job ends.
        saved: List price of the pictures that it takes from the pool, micro-USD.
        recorded: The arguments that the ledger keeps, never the prompt.
        priority: Of its turn, here and at fal.
        start_within_s: How long it may wait to be started, as the caller said; 0: not said.
        fresh: See `Refresh`.
        why: See `Why`.
        scope: Who shares its pool, by name.
        variation: Label of its pool.
        prompt_sha256: Hex digest of the prompt, by which its pool is found.
        keep_prompt: Whether the prompt is kept with the pictures.
        passed: The caller's headers for fal.
        distinct: Whether its pictures are, while its request is under way, for no other of its app.
        own: Whether it has a flight beside its pool's, where another purchase is under way.
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
        """Whether another order has the same body, so that fal's requests cannot tell them apart.

        By what is left of it when a job has ended, too.
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
        """What it claims: its pool's flight, or one of its own where it buys whatever others do."""
        own = self.fresh or self.own
        return f"{self.fingerprint}.{self.id}" if own else self.fingerprint

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Whom it is charged to, the organisation first."""
        return chain(self.team, self.app, self.key)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it was last read.

    Attributes:
        order: What it buys.
        state: See `State`.
        owner: The instance that works on it.
        epoch: Raised at every adoption; writes of an older epoch are refused.
        windows: Of the budgets, as of the hold: "day 2026-11-22" and so on.
        began_ms: Redis time of the hold.
        submitted_ms: Redis time of the mark before the submit; 0 before it.
        request_id: fal's id, or "".
        output: fal's answer, once it is read.
        charged: What the budgets were charged, micro-USD.
        overrun: What the house was charged above the hold, micro-USD.
        remaining: Of the tightest budget after settling, micro-USD.
        pictures: Banked, in fal's order.
        kept: Whether its pool has them now.
        answer: fal's refusal.
        trouble: See `Trouble`.
        troubled_ms: Redis time since when it has been in trouble; 0 while it is not.
    """

    order: Order
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
        """Whether nothing more will happen to it."""
        return self.state in ENDS
