"""Redirection: the arguments of one model as those of its successor, or why that cannot be."""

# Each argument goes under the successor's name for the same thing: a model says which of its
# arguments is the prompt, the size, the mask, and so on; the others keep their names. All values
# are spelled out, so a default of the successor never takes the place of another one. What the
# successor does not have is left out if it has its default, and refused otherwise.

from typing import Any

import msgspec

from falgate.core.errors import InputRejected
from falgate.models import arguments as request
from falgate.models.sizes import size_named
from falgate.models.spec import ModelSpec

_ROLES = ("count", "quality", "size", "inline", "seed", "prompt", "format")


def redirected(spec: ModelSpec, arguments: Any, successor: ModelSpec) -> Any:
    """Return the arguments with which a successor makes what was asked for.

    Args:
        spec: The model that was called.
        arguments: An instance of its `input`.
        successor: The model that takes its place.

    Raises:
        InputRejected: The successor cannot do that; names the arguments that it does not take.
    """
    names = {getattr(spec, role): getattr(successor, role) for role in _ROLES}
    masks = {bool(each.masks): each.argument for each in successor.inputs}
    names |= {each.argument: masks.get(bool(each.masks), "") for each in spec.inputs}
    files = {each.argument for each in spec.inputs}
    known = set(successor.input.__struct_encode_fields__)
    defaults = {field.encode_name: field.default for field in msgspec.structs.fields(spec.input)}
    body: dict[str, Any] = {}
    issues = []
    for name, value in msgspec.to_builtins(arguments).items():
        target = names.get(name, name)
        if target in known:
            body[target] = _size(value, successor) if target == successor.size else value
        elif value != defaults.get(name):
            shown = None if name in files else value
            issues.append(_refused(spec, successor, name, shown))
    if issues:
        raise InputRejected(issues)
    moved = request.read(successor, msgspec.json.encode(body), "application/json").arguments
    for each in successor.inputs:
        each.check_number(moved)
    return moved


def _size(value: Any, successor: ModelSpec) -> Any:
    """Return a size in the successor's form: an object if it takes any size, else "1024x1536"."""
    match value:
        case str() if successor.grid and (found := size_named(value)):
            return msgspec.to_builtins(found)
        case {"width": width, "height": height} if not successor.grid:
            return f"{width}x{height}"
    return value


def _refused(spec: ModelSpec, successor: ModelSpec, name: str, value: Any) -> dict[str, Any]:
    return {
        "type": "value_error",
        "loc": ["body", name],
        "msg": f"Value error, {spec.endpoint} has ended, and {successor.endpoint}, which takes its "
        f"place, has no {name}",
        "input": value,
        "ctx": {"error": {}},
    }
