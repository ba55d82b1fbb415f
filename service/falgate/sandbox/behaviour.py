"""Configuration of the sandbox: its speed, how its jobs end, and which responses are damaged."""

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
"""How a job ends: as requested, with one of fal's model errors, with wrong pictures, or never."""

Place = Literal["submit", "accepted", "status", "result", "media"]
"""The damaged response: "submit" before the request is stored, "accepted" after it."""

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
"""How the response is damaged.

"error": another status. "ingress": an error of the proxy in front of fal. "junk": 200 with another
body. "mistyped": another content type. "foreign": URLs on another host. "dropped", "truncated": the
connection closes before the body, or within it. "slow": one byte at a time. "huge": an endless
body. "hangs": no response at all.
"""

Seconds = Annotated[float, Meta(ge=0, le=10**9)]


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration. Its defaults are a healthy, fast fal. Times are seconds.

    Attributes:
        submit_s: Time until a submit is answered.
        queue_s: Time in the queue.
        work_s: Time in progress.
        lag_s: Delay until a request appears in the request and billing lists.
        keepalive_s: Interval between comments in a status stream.
        concurrency: Maximum number of requests in progress; None for no limit.
        outcome: How the job ends.
        cancels_running: Whether a cancel also ends a request in progress, not only a queued one.
        repeatable: Whether the n-th picture of an input is the same in every sandbox; otherwise
            each request gets different pictures.
        units: The reported billable units; None for fal's, "" for no header.
        billed_percent: Billed part of the list price; None for 100 with pictures, 0 without.
        fault: How the response `at` is damaged, if at all.
        at: The damaged response.
        faults: How many such responses are damaged per request; None for all.
        status: HTTP status of the faults "error" and "ingress"; None for 500 and 502.
        body: Body of the faults "error" and "junk"; None for fal's own words and for a page.
        hooks: How often a completion callback is delivered; 0 for never.
        unlisted: Whether it is missing from the list of requests.
        unbilled: Whether it is missing from the billing events, whatever it costs.
        key_id: The only accepted key id; None accepts all.
        times: For how many submits this configuration holds; None for all that follow.
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


class Configuration:
    """The configuration in force; each submit takes a copy."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._first = behaviour
        self.reset()

    def reset(self) -> None:
        """Restore the initial configuration."""
        # An initial configuration limited by `times` is followed by the healthy defaults.
        self._lasting = Behaviour() if self._first.times else self._first
        self._passing = self._first
        self._left = self._first.times or 0

    @property
    def current(self) -> Behaviour:
        """The configuration that the next submit will take."""
        if not self._left:
            return self._lasting
        return msgspec.structs.replace(self._passing, times=self._left)

    def change(self, change: Mapping[str, Any]) -> None:
        """Change the given fields; with `times`, the lasting configuration stays as it is.

        Raises:
            msgspec.ValidationError: A field is unknown or its value invalid.
        """
        turned = msgspec.convert({**msgspec.to_builtins(self._lasting), **change}, Behaviour)
        self._left = turned.times or 0
        if turned.times:
            self._passing = turned
        else:
            self._lasting = turned

    def take(self) -> Behaviour:
        """Return the configuration for one submit."""
        behaviour = self.current
        self._left = max(0, self._left - 1)
        return behaviour
