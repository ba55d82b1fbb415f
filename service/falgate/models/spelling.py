"""How values of arguments are spelt in the ledger and in tables of prices."""

from typing import Any


def spelt(value: Any) -> str:
    """Return a value as a text: "true" and not "True", and a size as "1024x768"."""
    return str(value).lower() if isinstance(value, bool) else str(value)
