"""A model's arguments as the fields of a form, made from its schema."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from falgate.models.spec import ModelSpec

Kind = Literal[
    "long_text", "text", "choice", "switch", "whole", "number", "pictures", "list", "group", "any"
]
"""long_text: the prompt. group: an object, whose fields are `custom`. any: JSON."""

Schemas = Mapping[str, Mapping[str, Any]]

_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "boolean": "switch",
    "integer": "whole",
    "number": "number",
    "array": "list",
    "object": "group",
}
_REF = "#/components/schemas/"


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a form.

    Attributes:
        name: Of the argument.
        title: For people.
        description: In fal's words, or "".
        kind: How it is filled in, see `Kind`.
        required: Whether it must be given.
        default: What the model takes if it is not given; None if it has none.
        values: The values to choose from, in order.
        custom: For a group, and for a choice that may also be an object: the fields of that.
        minimum: Of a number, like the next one; None without a limit.
        maximum: See above.
        above: Whether the number must be above the minimum, instead of at least that.
        step: What the number must be a multiple of; None if any will do.
        least: Of characters, items or input pictures; 0 without a limit.
        most: Likewise; None without a limit.
        picture_types: Media types of input pictures; empty if it takes none.
        one_picture: Whether that is a single picture's URL, instead of a list of them.
        mask_of: The argument whose first picture this one is the mask of, or "".
        advanced: Whether most people leave it as it is.
        fixed: Whether only the default is sold here, so that it must not be given.
    """

    name: str
    title: str
    description: str
    kind: Kind
    required: bool
    default: Any = None
    values: tuple[Any, ...] = ()
    custom: "tuple[FormField, ...]" = ()
    minimum: float | None = None
    maximum: float | None = None
    above: bool = False
    step: float | None = None
    least: int = 0
    most: int | None = None
    picture_types: tuple[str, ...] = ()
    one_picture: bool = False
    mask_of: str = ""
    advanced: bool = False
    fixed: bool = False


def form(spec: ModelSpec, schemas: Schemas) -> list[FormField]:
    """Return the fields of a model's form, in fal's order.

    Args:
        spec: The model.
        schemas: Those of its OpenAPI document, by name.
    """
    usual = {spec.prompt, spec.size, spec.quality, spec.count}
    inputs = {each.argument: each for each in spec.inputs}
    found: list[FormField] = []
    for field in _fields(schemas[f"{spec.schema_name}Input"], schemas):
        changed: dict[str, Any] = {
            "advanced": not (field.required or field.name in usual or field.name in inputs),
            "fixed": field.name in spec.closed,
        }
        if field.name == spec.prompt:
            changed["kind"] = "long_text"
        if (files := inputs.get(field.name)) is not None:
            changed |= {
                "kind": "pictures",
                "least": files.least,
                "most": files.most,
                "picture_types": files.types,
                "one_picture": not files.many,
                "mask_of": files.masks,
            }
        found.append(msgspec.structs.replace(field, **changed))
    return found


def _fields(schema: Mapping[str, Any], schemas: Schemas) -> list[FormField]:
    required = schema.get("required", ())
    return [
        _field(name, node, schemas, required=name in required)
        for name, node in schema["properties"].items()
    ]


def _field(name: str, node: Mapping[str, Any], schemas: Schemas, *, required: bool) -> FormField:
    options = [_resolved(each, schemas) for each in node.get("anyOf", [node])]
    listed = next((each for each in options if "enum" in each), None)
    custom = next((each for each in options if "properties" in each), None)
    chosen = listed or custom or options[0]
    kind: Kind = "choice" if listed else _KINDS.get(chosen.get("type", ""), "any")
    if kind == "group" and custom is None:
        kind = "any"
    above = chosen.get("exclusiveMinimum")
    return FormField(
        name=name,
        title=node.get("title") or name.replace("_", " ").capitalize(),
        description=node.get("description", ""),
        kind=kind,
        required=required,
        default=node.get("default"),
        values=tuple(listed["enum"]) if listed else (),
        custom=tuple(_fields(custom, schemas)) if custom else (),
        # OpenAPI 3.0 says by a bool that a minimum is exclusive.
        minimum=chosen.get("minimum") if isinstance(above, bool) or above is None else above,
        maximum=chosen.get("maximum"),
        above=above is not None and above is not False,
        step=chosen.get("multipleOf"),
        least=chosen.get("minLength", chosen.get("minItems", 0)),
        most=chosen.get("maxLength", chosen.get("maxItems")),
    )


def _resolved(node: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    name = node.get("$ref", "").removeprefix(_REF)
    return schemas[name] if name else node
