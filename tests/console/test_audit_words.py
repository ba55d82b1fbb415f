"""Amounts and times of the audit log, as people read them."""

from datetime import UTC
from typing import Any

import pytest

from falgate.console.audit_words import as_read

READ: list[tuple[str, Any, Any]] = [
    ("budget", {"limit": 25_000_000, "alerts": [80]}, {"limit": "$25.00", "alerts": [80]}),
    ("raise", {"raised": 34_000}, {"raised": "$0.034"}),
    ("overage", 2_000_000, "$2.00"),
    ("key", {"expires_s": 1_796_040_000}, {"expires_s": "2026-11-30 12:00"}),
    ("key", {"expires_s": 0, "limits": {"requests_per_second": 5}}, None),
    ("app", {"cache": {"max_age_s": 3_600, "derive": True}}, None),
    ("team", None, None),
]


@pytest.mark.parametrize(("action", "stored", "read"), READ)
def test_a_record_is_read_as_people_write_it(action: str, stored: Any, read: Any) -> None:
    assert as_read(action, stored, UTC) == (stored if read is None else read)
