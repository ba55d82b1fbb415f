"""Prices: the most a purchase may cost before it is made, and what it is booked at after."""

from typing import Any

from falgate.core.money import MICROS_MAX, Micros
from falgate.models.spec import ModelSpec


class PriceUnknown(Exception):
    """The model's file has no price for these arguments: refused, never free."""


def listed(spec: ModelSpec, arguments: Any, number: int) -> Micros:
    """The list price of `number` pictures without their text, in micro-USD.

    Raises:
        PriceUnknown: The table has no such combination, or prices it at nothing.
    """
    try:
        price = spec.image_price(arguments)
    except KeyError as error:
        raise PriceUnknown(f"{spec.endpoint} has no price for {error}") from error
    if not 0 < price <= MICROS_MAX:
        raise PriceUnknown(f"{spec.endpoint} prices this picture at {price} micro-dollars")
    return price * number


def ceiling(spec: ModelSpec, arguments: Any, number: int) -> Micros:
    """The most that buying `number` pictures may cost, text included: what is held.

    Raises:
        PriceUnknown: As `listed`.
    """
    return listed(spec, arguments, number) + spec.text_ceiling(arguments, number)


def without_pictures(spec: ModelSpec, arguments: Any, number: int) -> Micros:
    """The most that fal may bill for `number` pictures that it did not make.

    Raises:
        PriceUnknown: As `listed`.
    """
    return ceiling(spec, arguments, number) - spec.reasoning_ceiling(arguments, number)


def cost(spec: ModelSpec, arguments: Any, delivered: int) -> Micros:
    """What `delivered` pictures are booked at; nothing delivered costs nothing.

    Raises:
        PriceUnknown: As `listed`.
    """
    if delivered == 0:
        return 0
    return listed(spec, arguments, delivered) + spec.text_estimate(arguments, delivered)
