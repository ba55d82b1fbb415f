"""A change that an operator made: who, what and to what; for the audit log."""

import msgspec

from falgate.core.problems import Invalid

WHY_MAX = 200


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down beside the record before and after.

    Attributes:
        who: "admin", "cli:<user>", "settings".
        action: What kind of record it is: "team", "app", "key", "budget", ...
        subject: Which one.
        why: What for, in the operator's words; "" where none were given.
    """

    who: str
    action: str
    subject: str
    why: str = ""


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit log.

    Attributes:
        id: Of the line, "<ms>-<n>"; its first part is when.
        who: See `Change`, and so on.
        before: The record as JSON, without secrets; "" for none.
        after: Likewise.
    """

    id: str
    who: str
    action: str
    subject: str
    before: str
    after: str
    why: str = ""


def check_why(why: str) -> str:
    """A reason that a ledger and a log may keep, and a terminal may show.

    Raises:
        Invalid: It is long, or more than one line of printable characters.
    """
    if len(why) > WHY_MAX or not why.isprintable():
        raise Invalid(f"why: one line of up to {WHY_MAX} printable characters")
    return why
