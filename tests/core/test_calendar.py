"""Windows: by the clock of a zone, whatever it does, without gap and without overlap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.calendar import KINDS, WEEKDAYS, Calendar, Kind, Weekday, Window

HALF_HOUR = "Australia/Lord_Howe"
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
    HALF_HOUR,  # its clock moves by half an hour
    "Pacific/Chatham",
    "Pacific/Kiritimati",
]
HOUR_MS = 3_600_000
calendars = st.builds(Calendar, st.sampled_from(ZONES).map(ZoneInfo), st.sampled_from(WEEKDAYS))
instants_ms = st.integers(
    int(datetime(2012, 1, 1, tzinfo=UTC).timestamp() * 1000),
    int(datetime(2036, 12, 31, tzinfo=UTC).timestamp() * 1000),
)
ended = st.sampled_from(["day", "week", "month"])


def ms(text: str) -> int:
    """A UTC instant as milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def at(now_ms: int, kind: Kind, calendar: Calendar) -> Window:
    return calendar.windows(now_ms)[KINDS.index(kind)]


def day_at(now_ms: int, zone: str) -> Window:
    return at(now_ms, "day", Calendar(ZoneInfo(zone)))


@given(instants_ms, calendars)
def test_there_is_one_window_of_each_kind_and_it_contains_the_instant(
    now_ms: int, calendar: Calendar
) -> None:
    windows = calendar.windows(now_ms)

    assert tuple(window.kind for window in windows) == KINDS
    for window in windows:
        assert window.starts_ms <= now_ms < window.ends_ms
        assert window.name == f"{window.kind}:{window.id}"
        assert not {" ", ":"} & set(window.id)


@given(instants_ms, calendars, ended)
def test_windows_follow_each_other_without_gap_or_overlap(
    now_ms: int, calendar: Calendar, kind: Kind
) -> None:
    window = at(now_ms, kind, calendar)

    assert at(window.starts_ms, kind, calendar) == window
    assert at(window.ends_ms - 1, kind, calendar) == window
    following = at(window.ends_ms, kind, calendar)
    assert following.starts_ms == window.ends_ms
    before = at(window.starts_ms - 1, kind, calendar)
    assert before.ends_ms == window.starts_ms
    assert before.id < window.id < following.id


@given(instants_ms, calendars)
def test_a_longer_window_begins_and_ends_with_days(now_ms: int, calendar: Calendar) -> None:
    _, day, week, month, _ = calendar.windows(now_ms)

    for longer in (week, month):
        assert longer.starts_ms <= day.starts_ms
        assert day.ends_ms <= longer.ends_ms
        assert at(longer.starts_ms, "day", calendar).starts_ms == longer.starts_ms
        assert at(longer.ends_ms, "day", calendar).starts_ms == longer.ends_ms
    first = date.fromisoformat(week.id)
    assert WEEKDAYS[first.weekday()] == calendar.week_starts
    assert first <= date.fromisoformat(day.id) < first + timedelta(days=7)
    assert month.id == day.id[:7]


@given(instants_ms, calendars)
def test_a_day_can_be_asked_for_by_its_date(now_ms: int, calendar: Calendar) -> None:
    day = at(now_ms, "day", calendar)

    assert calendar.day(date.fromisoformat(day.id)) == day
    assert day.id == datetime.fromtimestamp(now_ms // 1000, calendar.zone).date().isoformat()


@given(instants_ms, calendars.filter(lambda calendar: str(calendar.zone) != HALF_HOUR))
def test_hours_follow_each_other_too(now_ms: int, calendar: Calendar) -> None:
    hour = at(now_ms, "hour", calendar)
    following = at(hour.ends_ms, "hour", calendar)

    assert hour.ends_ms - hour.starts_ms == HOUR_MS
    assert following.starts_ms == hour.ends_ms
    assert following.id != hour.id
    assert at(hour.starts_ms, "hour", calendar) == at(hour.ends_ms - 1, "hour", calendar) == hour


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
        (HALF_HOUR, "2026-04-04T18:00", "2026-04-04T13:00", 24.5),
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


@pytest.mark.parametrize(
    ("week_starts", "id_"),
    [
        ("monday", "2026-11-16"),
        ("tuesday", "2026-11-17"),
        ("wednesday", "2026-11-18"),
        ("thursday", "2026-11-19"),
        ("friday", "2026-11-20"),
        ("saturday", "2026-11-21"),
        ("sunday", "2026-11-22"),
    ],
)
def test_a_week_begins_on_the_chosen_day(week_starts: Weekday, id_: str) -> None:
    sunday_ms = ms("2026-11-22T12:00")

    assert at(sunday_ms, "week", Calendar(UTC, week_starts)).id == id_


def test_a_week_with_a_clock_change_is_an_hour_short() -> None:
    week = at(ms("2026-03-25T12:00"), "week", Calendar(ZoneInfo("Europe/Berlin")))

    assert week.id == "2026-03-23"
    assert week.ends_ms - week.starts_ms == (7 * 24 - 1) * HOUR_MS


@pytest.mark.parametrize(
    ("now", "id_", "days"),
    [
        ("2026-02-28T23:59:59.999", "2026-02", 28),
        ("2028-02-29T00:00", "2028-02", 29),
        ("2026-12-31T12:00", "2026-12", 31),
        ("2027-01-01T00:00", "2027-01", 31),
        ("2026-11-01T00:00", "2026-11", 30),
    ],
)
def test_a_month_is_as_long_as_its_days(now: str, id_: str, days: int) -> None:
    month = at(ms(now), "month", Calendar(UTC))

    assert month.id == id_
    assert month.ends_ms - month.starts_ms == days * 24 * HOUR_MS


def hours(zone: str, *instants: str) -> list[Window]:
    calendar = Calendar(ZoneInfo(zone))
    return [at(ms(instant), "hour", calendar) for instant in instants]


def test_an_hour_that_comes_twice_is_two_windows() -> None:
    first, second = hours("Europe/Berlin", "2026-10-25T00:30", "2026-10-25T01:30")

    assert [first.id, second.id] == ["2026-10-25T02+0200", "2026-10-25T02+0100"]
    assert first.ends_ms == second.starts_ms


def test_an_hour_that_is_left_out_is_no_window() -> None:
    before, after = hours("Europe/Berlin", "2026-03-29T00:59:59.999", "2026-03-29T01:00")

    assert [before.id, after.id] == ["2026-03-29T01+0100", "2026-03-29T03+0200"]
    assert before.ends_ms == after.starts_ms


def test_an_hour_is_that_of_the_local_clock() -> None:
    (hour,) = hours("Asia/Kathmandu", "2026-11-22T10:00")

    assert hour.id == "2026-11-22T15+0545"
    assert hour.starts_ms == ms("2026-11-22T09:15")


@pytest.mark.parametrize("change", ["2026-04-04T15:00", "2026-10-03T15:30"])
def test_two_hours_share_half_an_hour_where_the_clock_moves_by_that(change: str) -> None:
    """An instant is in one of them all the same, so nothing is counted twice."""
    before, after = (
        at(ms(change) + offset_ms, "hour", Calendar(ZoneInfo(HALF_HOUR))) for offset_ms in (-1, 0)
    )

    assert before.id != after.id
    assert before.ends_ms - after.starts_ms == HOUR_MS // 2
    assert after.starts_ms < ms(change) < after.ends_ms


@given(instants_ms, calendars)
def test_the_total_never_starts_anew(now_ms: int, calendar: Calendar) -> None:
    total = at(now_ms, "total", calendar)

    assert total == Window("total", "all", 0, 10**15 - 1)
    assert calendar.resets_at(total) is None


@pytest.mark.parametrize(
    ("zone", "kind", "now", "resets"),
    [
        ("Europe/Berlin", "hour", "2026-07-01T12:34", "2026-07-01T15:00:00+02:00"),
        ("Europe/Berlin", "day", "2026-07-01T12:00", "2026-07-02T00:00:00+02:00"),
        ("Europe/Berlin", "week", "2026-10-24T12:00", "2026-10-26T00:00:00+01:00"),
        ("Europe/Berlin", "month", "2026-10-24T12:00", "2026-11-01T00:00:00+01:00"),
        ("America/Havana", "day", "2026-03-07T12:00", "2026-03-08T01:00:00-04:00"),
        ("UTC", "day", "2026-12-31T23:59", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_people_are_told_when_a_window_ends_in_their_zone(
    zone: str, kind: Kind, now: str, resets: str
) -> None:
    calendar = Calendar(ZoneInfo(zone))

    assert calendar.resets_at(at(ms(now), kind, calendar)) == resets


def test_a_calendar_is_known_by_its_zone_and_week() -> None:
    named = {
        Calendar(ZoneInfo(zone), week_starts).name for zone in ZONES for week_starts in WEEKDAYS
    }

    assert len(named) == len(ZONES) * 7
    assert Calendar(ZoneInfo("Europe/Vienna"), "sunday").name == "Europe/Vienna/sunday"
    assert Calendar(UTC).name == "UTC/monday"
