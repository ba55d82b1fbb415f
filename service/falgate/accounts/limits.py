"""Limits on pace: how often and how much at once a key, an app or a team may ask and buy."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Limit = Annotated[int, Meta(ge=0, le=1_000_000)]
"""0 is no limit."""

What = Literal[
    "requests_per_second", "generations_per_minute", "generations_at_once", "waiting_generations"
]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is allowed in a while; 0 sets no limit. Counted over all instances.

    Attributes:
        requests_per_second: Runs, submits, quotes and looks at budgets and usage, hits too; bursts
            of as many are let through. Not counted, because they follow from what was: looks at a
            queued request, its result and its cancelling, and pictures.
        generations_per_minute: Purchases begun in any 60 seconds.
        generations_at_once: Purchases under way, those that wait for their turn too.
    """

    requests_per_second: Limit = 0
    generations_per_minute: Limit = 0
    generations_at_once: Limit = 0


NONE = Limits()


class Exceeded(msgspec.Struct, frozen=True):
    """A limit has no room.

    Attributes:
        account: Whose, such as "team:web".
        what: Which one.
        limit: How many it allows.
        retry_after_ms: When there may be room.
    """

    account: str
    what: What
    limit: int
    retry_after_ms: int


class PurchaseLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a purchase is subject to beside its price, as the operator has set it.

    Attributes:
        limits: Of each account that it is charged to, in their order.
        weight: Of its team's turns.
        waiting_max: How many of its team's purchases may wait for a turn; 0: any number.
    """

    limits: tuple[Limits, ...] = (NONE,) * 4
    weight: int = 1
    waiting_max: int = 0
