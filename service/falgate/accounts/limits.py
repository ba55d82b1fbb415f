"""Rate and concurrency limits of teams, apps, keys and models."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Limit = Annotated[int, Meta(ge=0, le=1_000_000)]
"""0 means no limit."""

What = Literal[
    "requests_per_second", "generations_per_minute", "generations_at_once", "waiting_generations"
]


class PurchaseRates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits on purchases, counted over all instances; 0 means no limit.

    Attributes:
        generations_per_minute: As of `Limits`.
        generations_at_once: As of `Limits`.
    """

    generations_per_minute: Limit = 0
    generations_at_once: Limit = 0


UNLIMITED = PurchaseRates()


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rate and concurrency limits, counted over all instances; 0 means no limit.

    Attributes:
        requests_per_second: Runs, submits, quotes and reads of budgets and usage, cache hits
            included. Bursts of one second's worth are let through. Requests that follow from
            earlier ones are not counted: polls, results and cancellations of a queued request, and
            pictures.
        generations_per_minute: Purchases begun in any 60 seconds.
        generations_at_once: Purchases under way, including those that wait for a slot.
    """

    requests_per_second: Limit = 0
    generations_per_minute: Limit = 0
    generations_at_once: Limit = 0


NONE = Limits()


class Exceeded(msgspec.Struct, frozen=True):
    """A limit that is reached.

    Attributes:
        account: Whose limit, such as "team:web".
        what: Which limit.
        limit: Its value.
        retry_after_ms: When there may be room, in milliseconds.
    """

    account: str
    what: What
    limit: int
    retry_after_ms: int


class PurchaseLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's limits on a purchase, apart from budgets.

    Attributes:
        limits: Those of the organisation, the team, the app and the key.
        model: Those of the model.
        weight: The team's share of upstream slots.
        waiting_max: How many of the team's purchases may wait for a slot; 0 means any number.
    """

    limits: tuple[Limits, ...] = (NONE,) * 4
    model: PurchaseRates = UNLIMITED
    weight: int = 1
    waiting_max: int = 0
