"""What a metric says of upstreams and of money: names from a closed set, and dollars."""

from falgate.core.money import Micros

NAMES = ("fal", "sandbox", "test")
"""fal, the sandbox in its place, and the books of test keys."""

OTHER = "other"
"""Any server that was given by its URL: that may tell what is nobody's business."""

_MICROS_PER_USD = 1_000_000


def short(upstream: str) -> str:
    """An upstream's label."""
    return upstream if upstream in NAMES else OTHER


def in_dollars(amount: Micros) -> float:
    """An amount as Prometheus wants it, in its base unit; nothing is added up of these."""
    return amount / _MICROS_PER_USD
