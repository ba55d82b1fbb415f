"""Sums: what entries come to, window by window, and carried on from what was archived."""

import random
from datetime import UTC

from falgate.core.calendar import Calendar
from falgate.money.duplicates import DuplicateFilter
from falgate.money.entry import read
from falgate.money.sums import Sums, is_recent, recent

CALENDAR = Calendar(UTC)
NOW_MS = 1_763_820_000_000
DAY_MS = 86_400_000
NAMES = [window.name for window in CALENDAR.windows(NOW_MS)]


def close(number: int, at_ms: int = NOW_MS, **changes: str) -> tuple[str, dict[str, str]]:
    windows = " ".join(window.name for window in CALENDAR.windows(at_ms))
    usual = {"kind": "close", "job": str(number), "outcome": "paid", "windows": windows,
             "team": "t", "app": "p", "key": "k", "charged_model": "a/b", "held": "9",
             "billed": "5", "overrun": "2", "bought": "1", "list": "4"}  # fmt: skip
    return f"{at_ms}-{number}", usual | changes


def test_a_close_counts_in_each_window_of_each_account() -> None:
    sums = Sums(recent(NOW_MS))
    sums.add(read(*close(1)))
    sums.add(read(*close(2, billed="0", overrun="0", bought="0", team="u")))

    names = {"organisation:main", "team:t", "app:t/p", "key:k", "model:a/b"}
    assert set(sums.accounts) == names
    for name in names:
        assert sums.accounts[name] == {f"spent:{name}": 5 for name in NAMES}
    assert sums.overage == 2
    assert sums.usage["2025-11-22"] == {
        "t/p:billed": 5, "t/p:overrun": 2, "t/p:purchases": 1, "t/p:bought": 1, "t/p:list": 4,
    }  # fmt: skip


def test_windows_in_force_are_recent_whatever_the_zone() -> None:
    for each in range(0, 800 * 24, 7):
        now_ms = NOW_MS + each * 3_600_000
        since = recent(now_ms)
        assert all(is_recent(window.name, since) for window in CALENDAR.windows(now_ms))


def test_each_kind_of_window_is_old_in_its_own_time() -> None:
    ages = {"hour": 5, "day": 42, "week": 90, "month": 440}
    since = recent(NOW_MS)
    for kind, days in ages.items():
        old = CALENDAR.windows(NOW_MS - days * DAY_MS)
        assert {w.kind for w in old if not is_recent(w.name, since)} >= {kind}
    assert is_recent("total:all", since)


def test_sums_go_on_from_the_balances_of_earlier_ones() -> None:
    order = random.Random(7)
    entries = [close(n, NOW_MS - order.randrange(60) * DAY_MS, billed=str(n)) for n in range(200)]
    whole, earlier = Sums(recent(NOW_MS)), Sums(recent(NOW_MS))
    for each in entries:
        whole.add(read(*each))
    for each in entries[:120]:
        earlier.add(read(*each))
    balances = {name: str(amount) for name, amount in earlier.balances()}
    later = Sums(recent(NOW_MS))
    later.open({**balances, "archived": "5-1"})
    for each in entries[120:]:
        later.add(read(*each))

    assert later.accounts == whole.accounts
    assert later.overage == whole.overage == 400


def test_an_id_that_comes_twice_is_always_suspected() -> None:
    once = DuplicateFilter()
    for number in range(20_000):
        once.add(f"job-{number}")
    assert len(once.suspects) < 5
    once.add("job-7")
    assert "job-7" in once.suspects


def test_what_an_earlier_version_archived_of_the_overage_account_counts() -> None:
    sums = Sums(recent(NOW_MS))
    sums.open({"house||overrun": "4", "overage||overrun": "5"})

    assert sums.overage == 9
