"""Label values of metrics: upstream names from a closed set, and amounts in dollars."""

from falgate.core.money import Micros

NAMES = ("fal", "sandbox", "test")
"""fal, the sandbox used instead of fal, and the ledger of test keys."""

OTHER = "other"
"""Any upstream given by its URL, which may be confidential."""

_MICROS_PER_USD = 1_000_000


def short(upstream: str) -> str:
    """Return an upstream's label."""
    return upstream if upstream in NAMES else OTHER


def in_dollars(amount: Micros) -> float:
    """Return an amount in dollars, Prometheus's base unit; for display only, never added up."""
    return amount / _MICROS_PER_USD
