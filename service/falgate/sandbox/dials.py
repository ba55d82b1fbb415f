"""The dials: how quick the stand-in is, how its jobs end, and which of its answers are spoilt."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Outcome = Literal[
    "pictures",
    "content_policy_violation",
    "no_media_generated",
    "generation_timeout",
    "internal_server_error",
    "downstream_service_error",
    "downstream_service_unavailable",
    "too_few",
    "too_many",
    "no_pictures",
    "wrong_size",
    "wrong_format",
    "never_starts",
    "never_ends",
]
"""How a job goes: as asked, with one of fal's model errors, with wrong pictures, or not at all."""

Place = Literal["submit", "accepted", "status", "result", "media"]
"""The answer that is spoilt. "submit" is before the request is kept, "accepted" after it."""

Fault = Literal[
    "error",
    "ingress",
    "junk",
    "mistyped",
    "foreign",
    "dropped",
    "truncated",
    "slow",
    "huge",
    "hangs",
]
"""What is done to it.

"error": another status. "ingress": as from the proxy before fal. "junk": 200 and another body.
"mistyped": another content type. "foreign": addresses on another host. "dropped", "truncated": the
connection is closed before the body, or within it. "slow": a byte at a time. "huge": without end.
"hangs": never.
"""

Seconds = Annotated[float, Meta(ge=0, le=10**9)]


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that can be turned. The defaults are a healthy, quick fal.

    Attributes:
        submit_s: Time that a submit takes to be answered.
        queue_s: Time in the queue.
        work_s: Time in progress.
        lag_s: Time after which a request shows in the lists of requests and of billing events.
        keepalive_s: Time between the comments in a stream of statuses.
        concurrency: How many requests are in progress at once; None for any number.
        outcome: How the job ends.
        cancels_running: A cancel ends a request in progress too, else only a queued one.
        repeatable: The n-th picture of an input is the same in every sandbox; else each request
            has its own pictures.
        units: The billable units reported; None for what fal would say, "" for no header.
        billed_percent: Part of the list price that is billed; None for 100 where pictures are
            delivered and 0 where they are not.
        fault: What spoils the answer `at`, if anything.
        at: The answer that the fault spoils.
        faults: How many such answers it spoils for each request; None for all.
        status: The HTTP status of the faults "error" and "ingress"; None for 500 and 502.
        body: The body of the faults "error" and "junk"; None for fal's own words and for a page.
        hooks: How often a completion hook is delivered; 0 for never.
        unlisted: It is missing in the list of requests.
        unbilled: It is missing in the billing events, whatever it costs.
        key_id: The one key id that is known here; None for any.
        times: How many submits these dials are for; None for all that follow.
    """

    submit_s: Seconds = 0
    queue_s: Seconds = 0
    work_s: Seconds = 0.3
    lag_s: Seconds = 0
    keepalive_s: Annotated[float, Meta(gt=0)] = 15
    concurrency: Annotated[int, Meta(ge=1)] | None = None
    outcome: Outcome = "pictures"
    cancels_running: bool = False
    repeatable: bool = True
    units: str | None = None
    billed_percent: Annotated[int, Meta(ge=0)] | None = None
    fault: Fault | None = None
    at: Place = "submit"
    faults: Annotated[int, Meta(ge=1)] | None = None
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    body: str | None = None
    hooks: Annotated[int, Meta(ge=0, le=10)] = 1
    unlisted: bool = False
    unbilled: bool = False
    key_id: str | None = None
    times: Annotated[int, Meta(ge=1)] | None = None


class Board:
    """The dials in force, which each submit takes and keeps."""

    def __init__(self, dials: Behaviour) -> None:
        self._first = dials
        self.reset()

    def reset(self) -> None:
        """As they were at the start."""
        # Dials that start with a number of times are followed by healthy ones.
        self._lasting = Behaviour() if self._first.times else self._first
        self._passing = self._first
        self._left = self._first.times or 0

    @property
    def current(self) -> Behaviour:
        """What the next submit will take."""
        if not self._left:
            return self._lasting
        return msgspec.structs.replace(self._passing, times=self._left)

    def turn(self, change: Mapping[str, Any]) -> None:
        """Change the named dials; those for a number of times leave the lasting ones alone.

        Raises:
            msgspec.ValidationError: There is no such dial, or it has no such position.
        """
        turned = msgspec.convert({**msgspec.to_builtins(self._lasting), **change}, Behaviour)
        self._left = turned.times or 0
        if turned.times:
            self._passing = turned
        else:
            self._lasting = turned

    def take(self) -> Behaviour:
        """The dials of one submit."""
        dials = self.current
        self._left = max(0, self._left - 1)
        return dials
