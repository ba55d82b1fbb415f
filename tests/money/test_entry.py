"""Entries: read by their kind, charged to the right accounts, filtered and shown."""

from typing import Any

import pytest

from falgate.money.entry import Close, Correction, EntryStrange, Raise, Reset, read
from falgate.money.entry_filter import Filter
from falgate.money.entry_shown import COLUMNS, shown

WINDOWS = "hour:2026-11-22T14+0000 day:2026-11-22 total:all"
OF_JOB = {"job": "j", "windows": WINDOWS, "team": "web", "app": "shop", "key": "k1",
          "charged_model": "acme/easel"}  # fmt: skip
CLOSE = {**OF_JOB, "kind": "close", "outcome": "paid", "held": "36000", "billed": "34000",
         "overrun": "0", "list": "34000", "bought": "1", "quality": "low"}  # fmt: skip
CORRECTION = {**OF_JOB, "kind": "correction", "billed": "-34000", "overrun": "-5", "why": "billing"}
RESET = {"kind": "reset", "account": "app:web/shop", "windows": "day:2026-11-22",
         "forgiven": "7", "who": "admin"}  # fmt: skip
RAISE = {"kind": "raise", "account": "key:k1", "windows": "day:2026-11-22", "raised": "5",
         "who": "admin"}  # fmt: skip
ALL = {"close": CLOSE, "correction": CORRECTION, "reset": RESET, "raise": RAISE}


def test_each_kind_has_its_own_type() -> None:
    found = {kind: read("5-1", fields) for kind, fields in ALL.items()}

    assert [type(entry) for entry in found.values()] == [Close, Correction, Reset, Raise]
    assert {entry.at_ms for entry in found.values()} == {5}


def test_a_close_is_charged_to_all_five_accounts() -> None:
    close = read("5-1", CLOSE)

    assert isinstance(close, Close)
    asking = ("organisation:main", "team:web", "app:web/shop", "key:k1")
    assert close.accounts == (*asking, "model:acme/easel")
    assert (close.billed, close.listed, close.day, close.subject) == (
        34_000, 34_000, "2026-11-22", "web/shop",
    )  # fmt: skip


@pytest.mark.parametrize("fields", [{**CLOSE, "outcome": "recovered"},
                                    {**CORRECTION, "job": "recovered-r1"}])  # fmt: skip
def test_what_nobody_asked_for_is_the_organisation_s_and_its_model_s(
    fields: dict[str, str],
) -> None:
    assert read("5-1", fields).accounts == ("organisation:main", "model:acme/easel")


@pytest.mark.parametrize("fields", [{**CLOSE, "model": "acme/easel"}, CORRECTION])
def test_an_earlier_version_charged_no_model(fields: dict[str, str]) -> None:
    before = {name: value for name, value in fields.items() if name != "charged_model"}
    recovered = {**before, "outcome": "recovered", "job": "recovered-r1"}

    asking = ("organisation:main", "team:web", "app:web/shop", "key:k1")
    assert read("5-1", before).accounts == asking
    assert read("5-1", recovered).accounts == ("organisation:main",)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "gift"},
        {**CLOSE, "billed": "0.5"},
        {**CLOSE, "outcome": "lost"},
        {name: CLOSE[name] for name in CLOSE if name != "billed"},
        {**RAISE, "raised": ""},
    ],
)
def test_what_cannot_be_read_is_refused_loudly(fields: dict[str, str]) -> None:
    with pytest.raises(EntryStrange, match="entry 5-1"):
        read("5-1", fields)


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({}, {"close", "correction", "reset", "raise"}),
        ({"kind": "reset"}, {"reset"}),
        ({"outcome": "paid"}, {"close"}),
        ({"team": "web"}, {"close", "correction", "reset"}),
        ({"team": "we"}, set()),
        ({"app": "shop"}, {"close", "correction", "reset"}),
        ({"app": "web/shop"}, {"close", "correction", "reset"}),
        ({"app": "other/shop"}, set()),
        ({"key": "k1"}, {"close", "correction", "raise"}),
        ({"job": "j", "kind": "correction"}, {"correction"}),
    ],
)
def test_a_filter_wants_what_is_about_all_that_it_names(
    wanted: dict[str, Any], kinds: set[str]
) -> None:
    assert {kind for kind, fields in ALL.items() if Filter(**wanted).wants(fields)} == kinds


def test_an_entry_is_shown_in_dollars_and_in_order() -> None:
    row = shown("1763820000123-0", CORRECTION)

    assert row["at"] == "2025-11-22T14:00:00.123+00:00"
    assert (row["booked_usd"], row["overrun_usd"]) == ("-0.034", "-0.000005")
    assert list(row) == [name for name in COLUMNS if name in row]
    assert "billed" not in row


def test_what_an_entry_holds_beside_its_columns_is_not_shown() -> None:
    assert "prompt" not in shown("5-1", {**CLOSE, "prompt": "a secret wish"})
