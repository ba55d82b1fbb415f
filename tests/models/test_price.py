"""What is held before a purchase, and what is booked after."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.money import MICROS_MAX
from falgate.models.price import PriceUnknown, ceiling, cost, listed
from falgate.models.spec import Expected, ModelSpec

TABLE = {"small": 100, "free": 0, "minus": -5, "beyond": MICROS_MAX + 1}


class Input(msgspec.Struct, frozen=True):
    """Priced by size."""

    size: str = "small"


def text_price(each: int) -> Any:
    return lambda _, number: each * number


SPEC = ModelSpec(
    endpoint="acme/easel",
    title="Easel",
    schema_name="Easel",
    category="text-to-image",
    input=Input,
    output=Input,
    schema_version=1,
    price_version="1",
    image_price=lambda arguments: TABLE[arguments.size],
    text_ceiling=text_price(7),
    text_estimate=text_price(3),
    expected=lambda _: Expected("image/png", 1, 1),
)


def test_the_list_price_is_by_the_picture() -> None:
    assert listed(SPEC, Input(), 3) == 300


def test_text_is_held_at_its_most_and_booked_at_its_estimate() -> None:
    assert ceiling(SPEC, Input(), 2) == 214
    assert cost(SPEC, Input(), 2) == 206


def test_nothing_delivered_costs_nothing() -> None:
    assert cost(SPEC, Input(), 0) == 0


@given(st.integers(1, 10), st.data())
def test_a_hold_covers_whatever_is_delivered(number: int, data: st.DataObject) -> None:
    delivered = data.draw(st.integers(0, number))

    assert cost(SPEC, Input(), delivered) <= ceiling(SPEC, Input(), number)


@pytest.mark.parametrize("size", ["huge", "free", "minus", "beyond"])
@pytest.mark.parametrize("price", [listed, ceiling, cost])
def test_what_has_no_price_is_refused_never_free(price: Any, size: str) -> None:
    with pytest.raises(PriceUnknown, match="acme/easel"):
        price(SPEC, Input(size), 1)
