"""Retirement: whether a model has ended, and what becomes of its requests then."""

# A model ends on its date, or once its upstream says that it has it no more. The date in a model's
# file is fal's own, so it counts only for what is bought at fal: the sandbox and other upstreams
# sell a model until they say otherwise. A date that an operator sets counts for all upstreams.

from datetime import UTC, date, datetime

import msgspec

from falgate.accounts.directory import (
    DEFAULT_MODEL,
    Afterwards,
    App,
    Directory,
    gone_name,
)
from falgate.models.spec import ModelSpec

FAL = "fal"
"""Name of the upstream that is fal itself."""

GONE_S = 3_600
"""How long an upstream's word that it has a model no more is believed without asking again."""


class Ended(msgspec.Struct, frozen=True):
    """A model of which nothing is bought any more.

    Attributes:
        endpoint: The model.
        successor: Endpoint of the one that takes its place, or "".
        afterwards: What becomes of requests that the cache cannot answer.
    """

    endpoint: str
    successor: str
    afterwards: Afterwards


def ended(
    spec: ModelSpec, directory: Directory, app: App, upstream: str, now_s: int
) -> Ended | None:
    """Return how a model has ended for an app; None if it can be bought.

    Args:
        spec: The model.
        directory: What operators decided, and what upstreams said.
        app: The app that asks.
        upstream: Name of the upstream that would sell it.
        now_s: Redis's time, in seconds since 1970.
    """
    gone = directory.gone.get(gone_name(upstream, spec.endpoint))
    is_gone = gone is not None and now_s < gone.seen_s + GONE_S
    if not is_gone and not _is_over(retires(spec, directory, upstream), now_s):
        return None
    model = directory.models.get(spec.endpoint, DEFAULT_MODEL)
    return Ended(
        spec.endpoint,
        successor(spec, directory),
        app.afterwards.get(spec.endpoint, model.afterwards),
    )


def retires(spec: ModelSpec, directory: Directory, upstream: str) -> date | None:
    """Return the day from which nothing of a model is bought at an upstream, if there is one."""
    model = directory.models.get(spec.endpoint, DEFAULT_MODEL)
    return model.retires or (spec.retires if upstream == FAL else None)


def successor(spec: ModelSpec, directory: Directory) -> str:
    """Return the endpoint of the model that takes a model's place, or ""."""
    return directory.models.get(spec.endpoint, DEFAULT_MODEL).successor or spec.successor


def days_left(day: date, now_s: int) -> int:
    """Return how many days there are until a day begins (UTC); 0 or less if it has begun."""
    return (day - _today(now_s)).days


def _is_over(day: date | None, now_s: int) -> bool:
    return day is not None and days_left(day, now_s) <= 0


def _today(now_s: int) -> date:
    return datetime.fromtimestamp(now_s, UTC).date()
