"""Succession: which model makes what was asked of one that has ended, and from which arguments."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from falgate.accounts.retirement import Ended
from falgate.core.errors import ModelRetired
from falgate.models.redirect import redirected
from falgate.models.spec import ModelSpec


class Successor(NamedTuple):
    """The model that serves a request.

    Attributes:
        spec: The model.
        arguments: What it is asked for, an instance of its `input`.
        ended: How it has ended itself, if it has and nothing takes its place.
    """

    spec: ModelSpec
    arguments: Any
    ended: Ended | None


def succeed(
    spec: ModelSpec,
    arguments: Any,
    models: Mapping[str, ModelSpec],
    ended: Callable[[ModelSpec], Ended | None],
) -> Successor:
    """Return the last of a model's successors, each of which takes the place of one that ended.

    Args:
        spec: The model that was called.
        arguments: An instance of its `input`.
        models: The served models, by endpoint.
        ended: Returns how a model has ended for who asks.

    Raises:
        InputRejected: A successor cannot do what was asked for.
        ModelRetired: There is no successor that is served.
    """
    over, passed = ended(spec), {spec.endpoint}
    while over is not None and over.afterwards == "redirect":
        successor = models.get(over.successor)
        if successor is None or successor.endpoint in passed:
            raise ModelRetired(spec.endpoint, over.successor)
        arguments, spec = redirected(spec, arguments, successor), successor
        over = ended(spec)
        passed.add(spec.endpoint)
    return Successor(spec, arguments, over)
