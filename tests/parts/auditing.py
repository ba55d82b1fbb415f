"""What an audit of fault tests agrees on, and the rule that purchases keep apart."""

from typing import Any, NamedTuple

import msgspec


class Audit(NamedTuple):
    """What the ledger and the books of the one who plays fal agree on; money in micro-USD.

    Attributes:
        submits: That came, accepted or not.
        accepted: Of these.
        billed: By whom plays fal.
        spent: By the ledger.
        outcomes: How many jobs ended how.
    """

    submits: int
    accepted: int
    billed: int
    spent: int
    outcomes: dict[str, int]


def assert_apart(accepted: list[dict[str, Any]]) -> None:
    """No two purchases of one input were under way at a time."""
    ends_s: dict[bytes, float] = {}
    for submit in accepted:
        subject = msgspec.json.encode({**submit["input"], "num_images": None})
        assert submit["submitted_s"] >= ends_s.get(subject, 0), "two purchases at a time"
        dials = submit["dials"]
        worked_s = submit["submitted_s"] + dials["queue_s"] + dials["work_s"]
        ends_s[subject] = min(worked_s, submit["ended_s"] or worked_s)
