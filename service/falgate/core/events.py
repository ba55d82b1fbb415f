"""Events for metrics and logs: what happened, never what was asked for."""

from typing import Literal, Protocol

import msgspec

from falgate.core.account import Account
from falgate.core.calendar import Kind
from falgate.core.money import Micros

Source = Literal["hit", "derived", "partial", "coalesced", "miss", "bypass"]
"""How a request was served.

hit: all from the pool. derived: from the pool, some converted here from other pictures.
partial: some from the pool, the rest bought. coalesced: from another request's purchase.
miss: bought for this request. bypass: bought although the pool may have had pictures.
"""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A caller got pictures.

    Attributes:
        billed: What this caller's budgets were charged, in micro-USD.
        saved: List price of the pictures that were not bought for this request, in micro-USD.
        reused: How many pictures were not bought for this request.
        quality: The quality that was asked for.
        took_s: Total duration, in seconds.
        waited_s: Of that, spent waiting for a job, in seconds.
        fingerprint: Of the pool that the pictures are from; "" if unknown.
        route: As of `Refused`.
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
    fingerprint: str
    route: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A request got an error.

    Attributes:
        route: One of a closed set.
        team: Of the caller's key, like `app` and `key` (the public id); "" if unknown.
        reason: See `core.refused.Reason`; "" where no model is concerned, such as an unknown path.
        error_type: fal's machine-readable code, if any.
        about: Which budget or limit refused.
        asked: Whether it asked for pictures; others poll, or look something up.
        model: Its endpoint, as far as it is known.
        upstream: Likewise, who would sell the pictures.
        job: Id of the job that it waited for, or "".
        leads: Whether that was begun for it.
        charged: What its budgets were charged all the same, in micro-USD.
        took_s: Total duration, in seconds.
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
    asked: bool = False
    model: str = ""
    upstream: str = ""
    job: str = ""
    leads: bool = False
    charged: Micros = 0
    took_s: float = 0


class Purchased(msgspec.Struct, frozen=True, kw_only=True):
    """A job ended.

    Attributes:
        outcome: The state in which it ended.
        charged: Micro-USD.
        overrun: Charged to the overage account because it exceeds the hold, in micro-USD.
        upstream_s: From the submit to fal's result, in seconds; None without a result.
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
    """A budget reached a threshold or first refused in a window, or fal's balance is exhausted.

    Attributes:
        alert: Its id, unchanged when it is sent again.
        account: The budget's account, such as "team:web".
        level: Level of that account.
        window: Name of the window, such as "day:2026-11-22".
        percent: The threshold, in percent of the limit; 0 for a refusal.
        limit: Of the budget in that window, in micro-USD.
        spent: At that time, in micro-USD.
        what: Which of the three. A balance alert has no other details than `upstream`.
        held: At that time, in micro-USD.
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


ModelAlertKind = Literal["retires", "gone", "changed"]
"""Why operators are alerted of a model."""


class ModelAlerted(msgspec.Struct, frozen=True, kw_only=True):
    """A model that apps call is about to end, has ended, is gone at its upstream, or was changed.

    Attributes:
        alert: Its id, unchanged when it is sent again.
        upstream: Who sells the model.
        model: Its endpoint.
        what: "retires" by its date, "gone" because its upstream said so, or "changed" by it.
        retires: The day from which nothing of it is bought, ISO 8601; "" unless it retires.
        days_left: Until then; 0 if it has ended or is gone.
        successor: Endpoint of the model to move to, or "".
        apps: "team/app" of those that called it in the last 30 days.
    """

    alert: str
    upstream: str
    model: str
    what: ModelAlertKind
    retires: str
    days_left: int
    successor: str
    apps: tuple[str, ...]


Alert = Alerted | ModelAlerted


class AlertFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An alert could not be delivered.

    Attributes:
        alert: Its id.
        problem: What went wrong: an HTTP status, or the name of an error.
        lost: Whether delivery is now given up.
    """

    alert: str
    problem: str
    lost: bool


Place = Literal["fal", "fal_platform", "fal_keys", "fal_storage", "store"]
"""A dependency that may be down: fal's queue, its platform API, its webhook keys, our store."""

AnomalyKind = Literal[
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
    "foreign_account",
    "model_changed",
]
"""Kinds of anomaly."""


class Anomaly(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an operator should look at.

    Attributes:
        what: See `AnomalyKind`.
        detail: For the log; contains no prompt and no secret.
    """

    what: AnomalyKind
    job: str
    detail: str


class Overdrawn(msgspec.Struct, frozen=True):
    """A shadow budget would have refused a purchase if it were enforced."""

    account: Account
    kind: Kind


class Facts(Protocol):
    """Receives events for metrics and logs. Never raises."""

    def answered(self, event: Answered) -> None:
        """A caller got pictures."""

    def failed(self, event: Refused) -> None:
        """A queued request ended without pictures; its caller is told later."""

    def purchased(self, event: Purchased) -> None:
        """A job ended."""

    def anomaly(self, event: Anomaly) -> None:
        """An anomaly that an operator should look at."""

    def exhausted(self, upstream: str) -> None:
        """fal refused because the balance of this gateway's account is exhausted."""

    def overdrawn(self, upstream: str, shadow: Overdrawn) -> None:
        """A shadow budget would have refused a purchase."""

    def unchecked(self) -> None:
        """A request limit could not be checked, and the request was let through."""

    def dropped(self, model: str, fields: int) -> None:
        """A caller sent fields that the model does not know; they were ignored."""
