"""Changes of records: fields by the words of previews, values with the unit of their name."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from falgate.console.change_words import audited, previewed

ZONE = timezone(timedelta(hours=1))
AT = "2026-11-30 13:00"
AT_S = 1_796_040_000
SHARING = ("sharing of pictures", "the whole organisation", "the team's apps")

AUDITED: list[tuple[str, Any, Any, list[tuple[str, str | None, str | None]]]] = [
    ("budget", None, {"limit": 25_000_000, "shadow": False}, [("limit", None, "$25.00")]),
    ("raise", {"raised": 0}, {"raised": 34_000}, [("raised", "$0.00", "$0.034")]),
    ("overage", 1_000_000, 2_000_000, [("", "$1.00", "$2.00")]),
    ("key", {"expires_s": 0}, {"expires_s": AT_S}, [("expiry", "never", AT)]),
    ("stop", None, {"who": "ann", "stopped_s": AT_S}, [
        ("who", None, "ann"), ("stopped", None, AT),
    ]),
    ("cache", None, {"size_bytes": 2_048, "pictures": 1, "at_ms": 1000 * AT_S}, [
        ("size", None, "2.0 KiB"), ("pictures", None, "1"), ("at", None, AT),
    ]),
    ("team", {"limits": {"requests_per_second": 0}}, {"limits": {"requests_per_second": 5}}, [
        ("limit on requests per second", "no limit", "5"),
    ]),
    ("app", {"cache": {"scope": "org", "max_age_s": 0}}, {"cache": {
        "scope": "team", "max_age_s": 60,
    }}, [
        SHARING, ("largest age of cached pictures", "any age", "60 s"),
    ]),
    ("app", {"aliases": {}}, {"aliases": {"a/b.c": "d"}}, [
        ("list of own aliases", "none", "a/b.c: d"),
    ]),
    ("operator", {"prompts": False, "name": "ann"}, None, [("name", "ann", None)]),
    ("key", {"disabled": True}, {"disabled": False}, [("disabled", "yes", "no")]),
    ("team", None, None, []),
]  # fmt: skip


@pytest.mark.parametrize(("action", "before", "after", "shown"), AUDITED)
def test_a_line_of_the_audit_log_is_read_as_people_write_it(
    action: str, before: Any, after: Any, shown: list[Any]
) -> None:
    line = {"action": action, "before": before, "after": after}

    assert audited(line, ZONE) == shown


def test_a_preview_says_the_same_in_the_same_words() -> None:
    before = {"cache": {"scope": "org"}, "budget": {"limit_usd": "5.00"}, "expires_at": None}
    after = {
        "cache": {"scope": "team"},
        "budget": {"limit_usd": "12.5"},
        "expires_at": "2026-11-30T12:00:00+00:00",
    }

    assert previewed({"before": before, "after": after}, ZONE) == [
        SHARING,
        ("limit", "$5.00", "$12.50"),
        ("expiry", "never", AT),
    ]
