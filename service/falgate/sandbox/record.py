"""The record of a submit, and its state as a pure function of the record and the time."""

# A request has no stored state: its status at any time follows from the record made at its submit.
# Processes that share the directory of records are therefore one sandbox, and a job can be adopted
# by another gateway, as with fal.

import math
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from falgate.sandbox.behaviour import Behaviour

Status = Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
Ending = Literal["worked", "rejected", "expired", "cancelled"]

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id(now_s: float) -> str:
    """Return a version 7 UUID; such ids sort by creation time."""
    value = int(now_s * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One submit, accepted or not.

    Attributes:
        id: fal's request id.
        endpoint: The model in the path.
        submitted_s: Unix time.
        accepted: Whether the request was accepted.
        sync: Whether it came through the synchronous route.
        received: The decoded JSON body; None if it was not JSON.
        arguments: The valid input including defaults; None if it was invalid.
        thumbnails: A small PNG of each input picture.
        issues: Problems of the input; None if it was valid.
        webhook: The URL to notify at its end.
        behaviour: The behaviour in force at the submit.
        headers: The relevant headers; of Authorization only the scheme.
        earlier: How many pictures of the same input were requested before.
        wait_s: Time in the queue.
        start_within_s: The caller's limit on the time in the queue, if any.
        cancelled_s: Unix time of the first cancel, if any.
        ended_s: Unix time at which its work was ended from outside, if it was.
    """

    id: str
    endpoint: str
    submitted_s: float
    accepted: bool
    sync: bool
    received: Any
    headers: dict[str, str]
    behaviour: Behaviour = msgspec.field(name="dials")
    arguments: dict[str, Any] | None = None
    thumbnails: list[bytes] = []
    issues: list[dict[str, Any]] | None = None
    webhook: str | None = None
    earlier: int = 0
    wait_s: float = 0
    start_within_s: float | None = None
    cancelled_s: float | None = None
    ended_s: float | None = None

    def __repr__(self) -> str:
        """Omit the prompt."""
        return f"Record({self.id})"


class Life(msgspec.Struct, frozen=True):
    """When a request starts and ends, as far as is known now.

    Attributes:
        starts_s: Unix time; infinite if it never starts.
        ends_s: Unix time; infinite if it never ends.
        ending: Why it ends.
    """

    starts_s: float
    ends_s: float
    ending: Ending

    def status(self, now_s: float) -> Status:
        """Return fal's status word at a time."""
        if now_s >= self.ends_s:
            return "COMPLETED"
        return "IN_PROGRESS" if now_s >= self.starts_s else "IN_QUEUE"

    @property
    def worked_s(self) -> float:
        """Time in progress, once it has ended."""
        return max(0.0, self.ends_s - self.starts_s)


def life(record: Record) -> Life:
    """Compute the whole course of a request from its record."""
    behaviour = record.behaviour
    starts_s = record.submitted_s + record.wait_s
    if behaviour.outcome == "never_starts":
        starts_s = math.inf
    if record.issues is not None:
        course = Life(starts_s, starts_s, "rejected")
    elif behaviour.outcome == "never_ends":
        course = Life(starts_s, math.inf, "worked")
    else:
        ended_s = math.inf if record.ended_s is None else record.ended_s
        starts_s = min(starts_s, ended_s)
        course = Life(starts_s, min(starts_s + behaviour.work_s, ended_s), "worked")
    if record.start_within_s is not None:
        deadline_s = record.submitted_s + record.start_within_s
        if deadline_s < starts_s:
            course = Life(math.inf, deadline_s, "expired")
    last_s = course.ends_s if behaviour.cancels_running else min(course.starts_s, course.ends_s)
    if record.cancelled_s is not None and record.cancelled_s < last_s:
        started_s = starts_s if starts_s <= record.cancelled_s else math.inf
        course = Life(started_s, record.cancelled_s, "cancelled")
    return course


def wait_s(behaviour: Behaviour, others: Iterable[Record], now_s: float) -> float:
    """Return how long a request has to wait for its turn behind earlier ones."""
    if behaviour.concurrency is None:
        return behaviour.queue_s
    ends_s = sorted(
        ends_s for other in others if other.accepted and (ends_s := life(other).ends_s) > now_s
    )
    if len(ends_s) < behaviour.concurrency:
        return behaviour.queue_s
    turn_s = ends_s[-behaviour.concurrency] - now_s
    # JSON has no infinity, so a request behind a job that never ends waits for thirty years.
    return min(max(behaviour.queue_s, turn_s), 10.0**9)


def start_within_s(headers: Mapping[str, str]) -> float | None:
    """Return the caller's start timeout, from its newer or older header."""
    for name in ("x-fal-request-start-timeout", "x-fal-request-timeout"):
        try:
            seconds = float(headers.get(name, ""))
        except ValueError:
            continue
        if 0 < seconds < math.inf:
            return seconds
    return None
