"""Prices: the most that a purchase may cost, and what it is booked at."""

from collections.abc import Iterable
from typing import Any

from falgate.core.money import MICROS_MAX, Micros
from falgate.models.spec import ModelSpec

Pixels = tuple[int, int]
"""Width and height."""


class PriceUnknown(Exception):
    """The model's file has no price for these arguments; they are refused, never free."""


def listed(spec: ModelSpec, arguments: Any, number: int) -> Micros:
    """Return the list price of `number` pictures without their text, in micro-USD.

    Raises:
        PriceUnknown: The table has no such combination, or a price of zero.
    """
    try:
        price = spec.image_price(arguments)
    except KeyError as error:
        raise PriceUnknown(f"{spec.endpoint} has no price for {error}") from error
    if not 0 < price <= MICROS_MAX:
        raise PriceUnknown(f"{spec.endpoint} prices this picture at {price} micro-dollars")
    return price * number


def ceiling(spec: ModelSpec, arguments: Any, number: int) -> Micros:
    """Return the most that `number` pictures may cost with their text: the amount to hold.

    Raises:
        PriceUnknown: As in `listed`.
    """
    return _rounded(spec, listed(spec, arguments, number) + spec.text_ceiling(arguments, number))


def without_pictures(spec: ModelSpec, arguments: Any, number: int) -> Micros:
    """Return the most that fal may bill for `number` pictures that it did not make.

    Raises:
        PriceUnknown: As in `listed`.
    """
    text = spec.text_ceiling(arguments, number) - spec.reasoning_ceiling(arguments, number)
    return _rounded(spec, listed(spec, arguments, number) + text)


def worth(spec: ModelSpec, arguments: Any, number: int, sizes: Iterable[Pixels]) -> Micros:
    """Return the list price of `number` pictures, by the sizes of those that are known.

    Raises:
        PriceUnknown: As in `listed`.
    """
    known = [listed(spec, spec.as_delivered(arguments, *size), 1) for size in sizes][:number]
    return sum(known) + listed(spec, arguments, number - len(known))


def cost(spec: ModelSpec, arguments: Any, delivered: int, sizes: Iterable[Pixels] = ()) -> Micros:
    """Return what `delivered` pictures are booked at; 0 if nothing was delivered.

    Args:
        spec: The model.
        arguments: What was asked for.
        delivered: Number of pictures.
        sizes: Of those whose size is known.

    Raises:
        PriceUnknown: As in `listed`.
    """
    if delivered == 0:
        return 0
    pictures = worth(spec, arguments, delivered, sizes)
    return _rounded(spec, pictures + spec.text_estimate(arguments, delivered))


def _rounded(spec: ModelSpec, amount: Micros) -> Micros:
    """Round the price of a call as fal does."""
    return -(-amount // spec.rounded_to) * spec.rounded_to
