"""Amounts and moments of fal's books: exact, and never to our loss."""

from decimal import Decimal
from typing import Any

import pytest

from falgate.fal.billing import Billed, Listed, amount, moment, moment_ms, same_input, totals
from falgate.money.charge import Charge, charge

AMOUNTS = {
    "plain": ("0.034", 34_000),
    "of a binary float": ("0.034000000000000002", 34_000),
    "of another": ("0.03399999999999999", 34_000),
    "exponent": ("3.4e-2", 34_000),
    "zero": ("0", 0),
    "zero with a sign": ("-0.0", 0),
    "a part of a micro-dollar": ("0.0340001", 34_001),
    "a billionth": ("0.000000001", 1),
    "given back": ("-0.5", 0),
    "large": ("999999998.5", 999_999_998_500_000),
}


def _billed(request_id: str, dollars: Decimal | None) -> Billed:
    return Billed(request_id=request_id, endpoint="e", dollars=dollars)


@pytest.mark.parametrize(("text", "micros"), AMOUNTS.values(), ids=AMOUNTS)
def test_an_amount_is_exact_and_a_part_counts_as_a_whole(text: str, micros: int) -> None:
    assert totals([_billed("a", amount(Decimal(text)))]) == {"a": micros}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN", "1e400", "2000000000"])
def test_what_is_no_amount_is_not_known(text: str) -> None:
    assert amount(Decimal(text)) is None


def test_events_of_one_request_are_summed_before_they_are_rounded() -> None:
    third = amount(Decimal("0.0000004"))
    events = [*[_billed("a", third)] * 3, _billed("b", Decimal(1)), _billed("b", Decimal("-0.25"))]

    assert totals(events) == {"a": 2, "b": 750_000}


@pytest.mark.parametrize("order", [1, -1])
def test_a_sum_with_an_unknown_part_is_not_known(order: int) -> None:
    events = [_billed("a", None), _billed("a", Decimal(1))][::order]

    assert totals(events) == {"a": None}


@pytest.mark.parametrize(
    ("total", "expected"), [(0, (0, 0)), (99, (99, 0)), (100, (100, 0)), (130, (100, 30))]
)
def test_the_budgets_pay_what_was_held_and_the_overage_the_rest(
    total: int, expected: tuple[int, int]
) -> None:
    found = charge(total, 100)

    assert found == Charge(*expected)
    assert found.total == total


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T14:00:00Z", 1_795_356_000_000),
        ("2026-11-22T15:00:00.250+01:00", 1_795_356_000_250),
        ("2026-11-22T14:00:00", 1_795_356_000_000),
        ("1969-01-01T00:00:00Z", 0),
        ("yesterday", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_moments_are_read(text: str | None, expected: int) -> None:
    assert moment_ms(text) == expected


def test_moments_are_written_as_they_are_read() -> None:
    assert moment(1_795_356_000_250) == "2026-11-22T14:00:00.250000Z"
    assert moment_ms(moment(1_795_356_000_250)) == 1_795_356_000_250


INPUT: dict[str, Any] = {"prompt": "a secret wish", "n": 1}


@pytest.mark.parametrize(
    ("kept", "same"),
    [
        (INPUT, True),
        ({"n": 1, "prompt": "a secret wish"}, True),
        ({**INPUT, "n": 2}, False),
        ({**INPUT, "more": None}, False),
        ({"prompt": "a secret wish"}, False),
        (None, False),
    ],
)
def test_a_request_is_the_same_by_its_whole_input(kept: Any, same: object) -> None:
    listed = Listed(request_id="r", endpoint="e", sent_ms=0, input=kept)

    assert same_input(listed, INPUT) == same
    assert "wish" not in repr(listed)
