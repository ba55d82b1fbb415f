"""falgate's own metrics, as Prometheus reads them."""

import re
import urllib.request

from bench.gateway import Gateway

_BUCKET = re.compile(r'^falgate_loop_lag_seconds_bucket{le="([^"]+)"} (\S+)', re.MULTILINE)
_WORKERS = re.compile(r"^falgate_workers (\S+)", re.MULTILINE)
_PURCHASES = re.compile(r"^falgate_purchases_total{.*} (\S+)", re.MULTILINE)


def lag(gateway: Gateway) -> dict[float, float]:
    """How often the event loop was late by at most so many seconds, since the start."""
    return {float(bound): float(times) for bound, times in _BUCKET.findall(_read(gateway))}


def quantile(before: dict[float, float], after: dict[float, float], part: float) -> float:
    """The bound, in seconds, that so large a part of the observations in between keeps."""
    times = {bound: after[bound] - before[bound] for bound in after}
    most = max(times.values())
    return min(bound for bound, number in times.items() if number >= part * most)


def workers(gateway: Gateway) -> float:
    """How many processes serve."""
    return sum(map(float, _WORKERS.findall(_read(gateway))))


def purchases(gateway: Gateway) -> float:
    """How many jobs have been settled so far."""
    return sum(map(float, _PURCHASES.findall(_read(gateway))))


def _read(gateway: Gateway) -> str:
    with urllib.request.urlopen(f"{gateway.http}/metrics") as answer:
        text: str = answer.read().decode()
    return text
