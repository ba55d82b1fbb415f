"""Facts for metrics and logs: what happened, never what was asked for."""

from typing import Literal, Protocol

import msgspec

from falgate.core.account import Account
from falgate.core.calendar import Kind
from falgate.core.money import Micros

Source = Literal["hit", "derived", "partial", "coalesced", "miss", "bypass"]
"""Where an answer came from: the pool, the pool with pictures that were made here from others, pool
and purchase, somebody else's purchase, its own, or one that was made although there may have been
pictures."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A caller got pictures.

    Attributes:
        billed: What this caller's budgets were charged, micro-USD.
        saved: List price of the pictures that were not bought for it, micro-USD.
        reused: How many those are.
        quality: That was asked for.
        took_s: In all, seconds.
        waited_s: Of that, for a job, seconds.
    """

    request_id: str
    model: str
    upstream: str
    team: str
    app: str
    key: str
    job: str
    source: Source
    pictures: int
    billed: Micros
    saved: Micros
    took_s: float
    waited_s: float
    reused: int
    quality: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A request got an error.

    Attributes:
        route: One of a closed set.
        team: Whose key it was, with its app and the key's public id; "" where that is not known.
        reason: See `core.refused.Reason`; "" of what concerns no model, such as an unknown path.
        error_type: fal's word for it, if there is one.
        about: Which budget or limit refused.
    """

    request_id: str
    route: str
    status: int
    team: str
    app: str
    key: str
    reason: str
    error_type: str | None
    about: dict[str, str]


class Purchased(msgspec.Struct, frozen=True, kw_only=True):
    """A job ended.

    Attributes:
        outcome: The state in which it ended.
        charged: Micro-USD.
        overrun: Charged to the house, above the hold, micro-USD.
        upstream_s: From the submit to fal's result, seconds; None where there was none.
    """

    job: str
    fal_request_id: str
    model: str
    upstream: str
    team: str
    outcome: str
    pictures: int
    charged: Micros
    overrun: Micros
    upstream_s: float | None


class Alerted(msgspec.Struct, frozen=True, kw_only=True):
    """A budget reached a threshold, or refused first in a window; or no balance is left.

    Attributes:
        alert: Its id, the same on a repeat.
        account: Whose budget, "team:web".
        level: Of that account.
        window: Name of the window, "day:2026-11-22".
        percent: The threshold, of the limit; 0 for a refusal.
        limit: Of the budget in that window, micro-USD.
        spent: At that time, micro-USD.
        what: Which of the three; of a balance nothing else is said but its upstream.
        held: At that time, micro-USD.
    """

    alert: str
    upstream: str
    account: str
    level: str
    window: str
    percent: int
    limit: Micros
    spent: Micros
    what: Literal["threshold", "refused", "balance"]
    held: Micros


class AlertFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An alert did not reach whom it is for.

    Attributes:
        alert: Its id.
        problem: What stood in the way: a status, or the name of an error.
        lost: Whether it is given up now.
    """

    alert: str
    problem: str
    lost: bool


Place = Literal["fal", "fal_platform", "fal_keys", "store"]
"""What may not be there: fal's queue, its platform API, its keys for hooks, the picture store."""

Doubt = Literal[
    "lost_submit",
    "lost_result",
    "second_request_id",
    "zero_units",
    "unbanked",
    "not_as_asked",
    "lost_picture",
    "damaged_picture",
    "store_full",
    "bad_upstream_key",
    "exhausted_balance",
    "no_upstream_access",
    "adopted",
    "broken",
    "stray_hook",
    "strange_books",
]
"""What an operator may have to look at."""


class Anomaly(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an operator should look at.

    Attributes:
        what: See `Doubt`.
        detail: For the log; no prompt, no secret.
    """

    what: Doubt
    job: str
    detail: str


class Overdrawn(msgspec.Struct, frozen=True):
    """A shadow budget that would have refused a purchase, were it enforced."""

    account: Account
    kind: Kind


class Facts(Protocol):
    """Metrics and logs. Never raises."""

    def answered(self, event: Answered) -> None:
        """A caller got pictures."""

    def purchased(self, event: Purchased) -> None:
        """A job ended."""

    def doubted(self, event: Anomaly) -> None:
        """Somebody should look."""

    def exhausted(self, upstream: str) -> None:
        """An upstream refused for want of balance on this gateway's account."""

    def overdrawn(self, upstream: str, shadow: Overdrawn) -> None:
        """A shadow budget would have refused a purchase."""

    def unchecked(self) -> None:
        """A limit on requests could not be looked up, and the request was let through."""

    def dropped(self, model: str, fields: int) -> None:
        """A caller sent fields that the model does not know."""
