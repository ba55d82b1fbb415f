"""What of a preview must still be so when the change is confirmed; pure."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

CHANGED_SINCE = "What is there has changed since this was shown. This is what the change does now."
_COUNTED = frozenset({"spent_usd", "held_usd"})
"""What purchases change all the time, which is nobody's decision."""


def mark(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return what is another text once a record is, which a change was shown to change.

    Args:
        changes: As the admin API previews them.
    """
    shown = [(each["action"], each["subject"], _decided(each["before"])) for each in changes]
    return sha256(msgspec.json.encode(shown)).hexdigest()


def _decided(record: Any) -> Any:
    if not isinstance(record, Mapping):
        return record
    return {name: value for name, value in record.items() if name not in _COUNTED}
