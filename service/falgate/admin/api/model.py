"""/model: one model, its arguments, and what is held for it."""

from typing import Annotated, Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Meta

from falgate.admin.api.resource import Resource
from falgate.admin.api.services import AdminServices
from falgate.core.money import dollars
from falgate.core.problems import NotFound
from falgate.models.dearest import at_once, dearest, usual

routes = Resource("models")
_LIMITS = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "to",
    "exclusiveMaximum": "below",
    "minLength": "at least",
    "maxLength": "at most",
    "minItems": "at least",
    "maxItems": "at most",
}
"""The limits of a schema, in words."""


class ArgumentShown(msgspec.Struct, frozen=True, kw_only=True):
    """An argument of a model."""

    name: str
    required: bool
    default: Annotated[str | None, Meta(description="As JSON; null if it has none")]
    values: Annotated[str, Meta(description="Its values, or its type and limits")]


class ModelDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One model."""

    endpoint: Annotated[str, Meta(examples=["openai/gpt-image-2"])]
    title: str
    category: str
    source: Annotated[str, Meta(description="The file that describes it, or falgate itself")]
    at_once: Annotated[int, Meta(description="Pictures that a request may ask for")]
    sizes: Annotated[str | None, Meta(description="Rules for sizes, if callers choose them")]
    price_version: Annotated[str, Meta(description="Date of its prices")]
    price_terms: Annotated[list[str], Meta(description="If a file describes it: their sum is due")]
    held_usd: Annotated[str, Meta(description="For one picture of a short prompt")]
    held_most_usd: Annotated[str, Meta(description="For its dearest request, with a short prompt")]
    retires: Annotated[str | None, Meta(description="By its file; operators may decide otherwise")]
    successor: str | None
    arguments: list[ArgumentShown]


@routes.get("/model", "Get a model", 404, lead=True)
async def show_model(
    services: NamedDependency[AdminServices], endpoint_id: FromQuery[str] = ""
) -> ModelDetails:
    """With its arguments, and what is held for it."""
    spec = services.models.get(endpoint_id)
    if spec is None:
        raise NotFound(f"There is no such model; there are {', '.join(services.models)}")
    return ModelDetails(
        endpoint=spec.endpoint,
        title=spec.title,
        category=spec.category,
        source=spec.described.file if spec.described else "falgate",
        at_once=at_once(spec),
        sizes=str(spec.grid) if spec.grid else None,
        price_version=spec.price_version,
        price_terms=list(spec.described.terms) if spec.described else [],
        held_usd=dollars(usual(spec)),
        held_most_usd=dollars(dearest(spec)),
        retires=spec.retires.isoformat() if spec.retires else None,
        successor=spec.successor or None,
        arguments=[_argument(field) for field in msgspec.structs.fields(spec.input)],
    )


def _argument(field: msgspec.structs.FieldInfo) -> ArgumentShown:
    """Return an argument as the document of the model describes it."""
    (node,), components = msgspec.json.schema_components([field.type], ref_template="{name}")
    default = None
    if field.default not in (msgspec.NODEFAULT, msgspec.UNSET):
        default = msgspec.json.encode(field.default).decode()
    elif field.default_factory is not msgspec.NODEFAULT:
        default = msgspec.json.encode(field.default_factory()).decode()
    return ArgumentShown(
        name=field.name,
        required=field.required,
        default=default,
        values=_values(node, components),
    )


def _values(node: dict[str, Any], components: dict[str, Any]) -> str:
    """Return in words which values a schema allows."""
    if "$ref" in node:
        properties = components[node["$ref"]]["properties"]
        return "{" + ", ".join(properties) + "}"
    if "anyOf" in node:
        return " or ".join(_values(each, components) for each in node["anyOf"])
    if "enum" in node:
        return ", ".join(map(str, node["enum"]))
    limits = [f"{words} {node[key]}" for key, words in _LIMITS.items() if key in node]
    return ", ".join([str(node.get("type", "any")), *limits])
