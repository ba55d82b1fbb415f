"""Prices: the most that a purchase may cost, and what it is booked at."""

from typing import Any

from falgate.core.money import MICROS_MAX, Micros
from falgate.models.spec import ModelSpec


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
    return listed(spec, arguments, number) + spec.text_ceiling(arguments, number)


def without_pictures(spec: ModelSpec, arguments: Any, number: int) -> Micros:
    """Return the most that fal may bill for `number` pictures that it did not make.

    Raises:
        PriceUnknown: As in `listed`.
    """
    return ceiling(spec, arguments, number) - spec.reasoning_ceiling(arguments, number)


def cost(spec: ModelSpec, arguments: Any, delivered: int) -> Micros:
    """Return what `delivered` pictures are booked at; 0 if nothing was delivered.

    Raises:
        PriceUnknown: As in `listed`.
    """
    if delivered == 0:
        return 0
    return listed(spec, arguments, delivered) + spec.text_estimate(arguments, delivered)
