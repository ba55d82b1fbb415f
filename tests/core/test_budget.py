"""Windows: midnight to midnight of a zone, whatever its clocks do, without gap or overlap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falgate.core.budget import ORGANISATION, Account, Position, Window, resets_at, windows

PROPERTY = settings(derandomize=True, deadline=None, max_examples=300)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/Lisbon",
    "America/New_York",
    "America/Sao_Paulo",  # skipped midnight until 2018
    "America/Havana",  # skips midnight in spring, has two in autumn
    "America/Santiago",
    "America/Asuncion",
    "America/Nuuk",
    "Atlantic/Azores",
    "Africa/Cairo",  # skips midnight since 2023
    "Africa/Casablanca",  # its summer time pauses for Ramadan
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",  # moves by half an hour
    "Pacific/Chatham",
    "Pacific/Kiritimati",
]
HOUR_MS = 3_600_000
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants_ms = st.integers(
    int(datetime(2012, 1, 1, tzinfo=UTC).timestamp() * 1000),
    int(datetime(2036, 12, 31, tzinfo=UTC).timestamp() * 1000),
)


def ms(text: str) -> int:
    """A UTC instant as milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def day_at(now_ms: int, zone: str) -> Window:
    return windows(now_ms, ZoneInfo(zone))[0]


@PROPERTY
@given(instants_ms, zones)
def test_the_windows_in_force_contain_the_instant(now_ms: int, zone: ZoneInfo) -> None:
    day, total = windows(now_ms, zone)

    assert day.starts_ms <= now_ms < day.ends_ms
    assert total.starts_ms <= now_ms < total.ends_ms
    assert day.id == datetime.fromtimestamp(now_ms // 1000, zone).date().isoformat()


@PROPERTY
@given(instants_ms, zones)
def test_days_follow_each_other_without_gap_or_overlap(now_ms: int, zone: ZoneInfo) -> None:
    day = windows(now_ms, zone)[0]

    assert windows(day.starts_ms, zone)[0] == day
    assert windows(day.ends_ms - 1, zone)[0] == day
    following = windows(day.ends_ms, zone)[0]
    assert following.starts_ms == day.ends_ms
    before = windows(day.starts_ms - 1, zone)[0]
    assert before.ends_ms == day.starts_ms
    assert before.id < day.id < following.id


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_days_is_a_year(zone: str) -> None:
    """Every day of 2024 with its clock changes, one after the other."""
    found: list[date] = []
    now_ms = first_ms = day_at(ms("2024-01-02T00:00"), zone).starts_ms
    while len(found) < 366:
        day = day_at(now_ms, zone)
        assert day.starts_ms == now_ms
        found.append(date.fromisoformat(day.id))
        now_ms = day.ends_ms

    assert found == [found[0] + timedelta(days=number) for number in range(366)]
    assert abs(now_ms - first_ms - 366 * 24 * HOUR_MS) <= HOUR_MS


@pytest.mark.parametrize(
    ("zone", "now", "starts", "hours"),
    [
        # An ordinary day, and both ends of it.
        ("UTC", "2026-03-01T00:00", "2026-03-01T00:00", 24),
        ("UTC", "2026-03-01T23:59:59.999", "2026-03-01T00:00", 24),
        # Clocks that change at two.
        ("Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", 25),
        # 00:00 does not exist: the day begins at 01:00, an hour short.
        ("America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00", 23),
        ("America/Havana", "2026-03-08T12:00", "2026-03-08T05:00", 23),
        ("Africa/Cairo", "2026-04-24T12:00", "2026-04-23T22:00", 23),
        # The hour before midnight comes twice, and belongs to the day that ends.
        ("America/Sao_Paulo", "2018-02-17T12:00", "2018-02-17T02:00", 25),
        ("Africa/Cairo", "2026-10-29T20:30", "2026-10-28T21:00", 25),
        ("Africa/Cairo", "2026-10-29T21:30", "2026-10-28T21:00", 25),
        # Midnight comes twice: the first one begins the day.
        ("America/Havana", "2026-11-01T04:30", "2026-11-01T04:00", 25),
        ("America/Havana", "2026-11-01T05:30", "2026-11-01T04:00", 25),
        # Half an hour.
        ("Australia/Lord_Howe", "2026-04-04T18:00", "2026-04-04T13:00", 24.5),
        # A whole day that an island left out: the 29th is followed by the 31st.
        ("Pacific/Apia", "2011-12-30T09:59", "2011-12-29T10:00", 24),
        ("Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00", 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(
    zone: str, now: str, starts: str, hours: float
) -> None:
    day = day_at(ms(now), zone)

    assert day.starts_ms == ms(starts)
    assert day.ends_ms - day.starts_ms == hours * HOUR_MS


def test_a_day_is_named_by_its_local_date() -> None:
    assert day_at(ms("2026-01-01T23:30"), "Pacific/Kiritimati").id == "2026-01-02"
    assert day_at(ms("2026-01-01T00:30"), "America/New_York").id == "2025-12-31"


@given(instants_ms, zones)
@PROPERTY
def test_the_total_never_starts_anew(now_ms: int, zone: ZoneInfo) -> None:
    _, total = windows(now_ms, zone)

    assert total == Window("total", "all", 0, 10**15 - 1)
    assert resets_at(total, zone) is None


@pytest.mark.parametrize(
    ("zone", "now", "resets"),
    [
        ("Europe/Berlin", "2026-07-01T12:00", "2026-07-02T00:00:00+02:00"),
        ("America/Havana", "2026-03-07T12:00", "2026-03-08T01:00:00-04:00"),
        ("UTC", "2026-12-31T23:59", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_people_are_told_when_a_day_ends_in_their_zone(zone: str, now: str, resets: str) -> None:
    assert resets_at(day_at(ms(now), zone), ZoneInfo(zone)) == resets


def test_a_position_may_be_without_a_limit() -> None:
    day = day_at(0, "UTC")
    position = Position(account=ORGANISATION, window=day, limit=None, spent=3, held=2)

    assert (position.limit, position.spent, position.held) == (None, 3, 2)
    assert position.account == Account("organisation", "main")
