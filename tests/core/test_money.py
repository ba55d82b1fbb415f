"""Amounts and their spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.money import MICROS_MAX, dollars, usd


@given(st.integers(0, MICROS_MAX))
def test_a_spelt_amount_reads_as_the_same_amount(amount: int) -> None:
    assert usd(dollars(amount)) == amount


@given(st.text())
def test_a_text_is_an_exact_amount_or_refused(text: str) -> None:
    try:
        amount = usd(text)
    except ValueError:
        return
    assert 0 <= amount <= MICROS_MAX


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.034", 34_000),
        ("12.50", 12_500_000),
        ("0.000001", 1),
        ("007", 7_000_000),
        ("1.5000000000", 1_500_000),
        ("999999999.999999", MICROS_MAX),
    ],
)
def test_dollars_are_read_to_the_millionth(text: str, amount: int) -> None:
    assert usd(text) == amount


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "such as 12.50"),
        ("$5", "such as 12.50"),
        ("1,50", "such as 12.50"),
        ("-0.01", "such as 12.50"),
        ("NaN", "such as 12.50"),
        ("1e2", "such as 12.50"),
        ("1.", "such as 12.50"),
        ("\u0661", "such as 12.50"),
        ("0.0000001", "finer"),
        ("1000000000", "more than a billion"),
        ("1" * 100_000, "more than a billion"),
        ("1.0000000000000000000000000000001", "finer"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        usd(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0.00"), (34_000, "0.034"), (1, "0.000001"), (12_500_000, "12.50"), (-70_000, "-0.07")],
)
def test_amounts_are_spelt_with_two_decimals_or_more(amount: int, text: str) -> None:
    assert dollars(amount) == text
