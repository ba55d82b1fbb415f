"""A change that an operator made: who, what and to what; for the audit log."""

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down beside the record before and after.

    Attributes:
        who: "admin", "cli:<user>", "settings".
        action: What kind of record it is: "team", "app", "key", "budget", ...
        subject: Which one.
    """

    who: str
    action: str
    subject: str


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
