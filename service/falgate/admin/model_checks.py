"""Validation of what operators decide about models: names, targets and successors."""

import re
from collections.abc import Collection, Mapping

from msgspec.structs import replace

from falgate.accounts.directory import App, Directory, Model
from falgate.accounts.retirement import successor
from falgate.core.problems import Invalid
from falgate.models.spec import ModelSpec

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}(/[a-z0-9][a-z0-9._-]{0,63}){1,5}")
"""Clients of fal's take only names that have an owner and a name: "acme/image"."""
_OURS = frozenset({"admin", "api", "docs", "pictures", "queue", "run", "sandbox", "storage", "v1"})
"""First words of falgate's own paths."""
_DIVIDER = "requests"
"""Between a model and the id of a request, in the queue's paths."""


def check_alias(
    name: str, target: str, models: Mapping[str, ModelSpec], aliases: Collection[str]
) -> None:
    """Validate an alias.

    Args:
        name: What apps call.
        target: Endpoint of the model that it stands for.
        models: The served models, by endpoint.
        aliases: Names of all aliases that the caller may have.

    Raises:
        Invalid: Says what is wrong, and what to do instead.
    """
    if not NAME.fullmatch(name):
        raise Invalid(
            f"{name[:100]!r} is no name for a model: use two to six words of lower-case letters, "
            "digits, dots and dashes, such as acme/image"
        )
    words = name.split("/")
    if words[0] in _OURS or _DIVIDER in words:
        raise Invalid(f"{name} would be taken for one of falgate's own paths; use another name")
    if name in models:
        raise Invalid(
            f"{name} is a model. To serve another one in its place once it has ended, use "
            f"`falgate models retire {name} --then redirect`"
        )
    if target == name:
        raise Invalid(f"{name} cannot stand for itself; give the endpoint of a model")
    if target in aliases:
        raise Invalid(f"{target} is an alias itself; give the endpoint that it stands for")
    check_served(target, models)


def check_model(
    endpoint: str, model: Model, models: Mapping[str, ModelSpec], directory: Directory
) -> None:
    """Validate what is decided about a model.

    Args:
        endpoint: The model.
        model: What is decided now.
        models: The served models, by endpoint.
        directory: What was decided before.

    Raises:
        Invalid: The successor is not served or leads back to the model, or there is none.
    """
    if model.successor:
        check_served(model.successor, models)
    decided = replace(directory, models={**directory.models, endpoint: model})
    passed = [endpoint]
    while (spec := models.get(passed[-1])) and (after := successor(spec, decided)):
        if after == endpoint:
            raise Invalid(f"The successors of {endpoint} lead back to it: {', '.join(passed)}")
        if after in passed:
            break
        passed.append(after)
    if model.afterwards == "redirect" and len(passed) == 1:
        raise Invalid(f"{endpoint} has no successor to redirect to; give one, with --to")


def check_served(endpoint: str, models: Mapping[str, ModelSpec]) -> None:
    """Validate that there is a model.

    Raises:
        Invalid: There is none; names those that there are.
    """
    if endpoint not in models:
        raise Invalid(f"{endpoint[:100]!r} is not served; there are {', '.join(sorted(models))}")


def check_app(app: App, models: Mapping[str, ModelSpec], aliases: Collection[str]) -> None:
    """Validate what an app has of its own about models: its aliases, and what follows an end.

    Raises:
        Invalid: As `check_alias`, or a model is not served.
    """
    for name, target in app.aliases.items():
        check_alias(name, target, models, {*aliases, *app.aliases})
    for endpoint in app.afterwards:
        check_served(endpoint, models)
