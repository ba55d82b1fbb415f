"""A change by an operator and its audit log entry: who, what and why."""

import msgspec

from falgate.core.problems import Invalid

WHY_MAX = 200


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit log records besides the record before and after.

    Attributes:
        who: "admin", "cli:<user>", "settings".
        action: Type of the record: "team", "app", "key", "budget", ...
        subject: Which record.
        why: The operator's reason; "" if none was given.
    """

    who: str
    action: str
    subject: str
    why: str = ""


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the audit log.

    Attributes:
        id: Entry id, "<ms>-<n>"; the first part is the time.
        who: This and the fields not listed here are as in `Change`.
        before: The record as JSON, without secrets; "" if it did not exist.
        after: Likewise; "" if it was removed.
    """

    id: str
    who: str
    action: str
    subject: str
    before: str
    after: str
    why: str = ""


def check_why(why: str) -> str:
    """Return a reason that is safe for the ledger, the log and a terminal.

    Raises:
        Invalid: It is too long, or not a single line of printable characters.
    """
    if len(why) > WHY_MAX or not why.isprintable():
        raise Invalid(f"why: one line of up to {WHY_MAX} printable characters")
    return why
