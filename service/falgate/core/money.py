"""Money as integer micro-USD, and its notation in decimal dollars."""

import re

Micros = int
"""An amount in micro-USD: 1_000_000 is one dollar. Never a float."""

MICROS_MAX = 10**15 - 1
"""Just under a billion dollars: exact in a Lua double, and above any budget."""

USD = r"^[0-9]{1,9}(\.[0-9]{1,6})?$"
"""How the API spells an amount."""

_DECIMALS = 6
_DOLLARS = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


def usd(text: str) -> Micros:
    """Parse decimal dollars: "0.034" is 34,000.

    Raises:
        ValueError: It is not a plain decimal number, is negative, is finer than a micro-dollar or
            exceeds `MICROS_MAX`.
    """
    found = _DOLLARS.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not an amount in dollars, such as 12.50")
    fraction = (found[2] or "").rstrip("0")
    if len(fraction) > _DECIMALS:
        raise ValueError(f"{text!r} is finer than a millionth of a dollar")
    whole = found[1].lstrip("0")
    # Check the length first: converting a very long number takes quadratic time.
    if len(whole) > len(str(MICROS_MAX)) - _DECIMALS:
        raise ValueError(f"{text!r} is more than a billion dollars")
    return int(whole + fraction.ljust(_DECIMALS, "0"))


def dollars(amount: Micros) -> str:
    """Format an amount in dollars with at least two decimals: 34,000 is "0.034", 0 is "0.00"."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 10**_DECIMALS)
    decimals = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{decimals}"
