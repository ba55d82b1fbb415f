"""Money: integer micro-dollars, and their spelling in decimal dollars."""

from decimal import Decimal, InvalidOperation

Micros = int
"""An amount in micro-USD: 1_000_000 is one dollar. Never a float."""

MICROS_MAX = 10**15 - 1
"""A billion dollars: within what a Lua double holds exactly, and beyond any budget."""


def usd(text: str) -> Micros:
    """Read decimal dollars, "0.034" for 34,000.

    Raises:
        ValueError: It is not a plain decimal number, is negative, is finer than a micro-dollar
            or is larger than `MICROS_MAX`.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not an amount in dollars, such as 12.50") from error
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{text!r} is not an amount in dollars: it must be zero or more")
    micros = amount * 1_000_000
    if micros != int(micros):
        raise ValueError(f"{text!r} is finer than a millionth of a dollar")
    if micros > MICROS_MAX:
        raise ValueError(f"{text!r} is more than a billion dollars")
    return int(micros)


def dollars(amount: Micros) -> str:
    """Spell an amount in dollars, with at least two decimals: 34,000 is "0.034", 0 is "0.00"."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 1_000_000)
    decimals = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{decimals}"
