"""fal's OpenAPI document of one model's queue: a template, and the model's own schemas."""

from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from falgate.http.address import Address
from falgate.jobs.admission import find_model
from falgate.jobs.ports import Ports
from falgate.models.spec import ModelSpec

PATH = "/api/openapi/queue/openapi.json"

_REF = "#/components/schemas/"
_TEMPLATE = resources.files(__package__).joinpath("fal_openapi.json").read_text()


def model_openapi_route(ports: Ports, address: Address) -> HTTPRouteHandler:
    """Return the route. It needs no key: a model's parameters are public."""

    @get(
        PATH,
        tags=["models"],
        operation_id="modelOpenapi",
        summary="fal's OpenAPI document of one model's queue",
    )
    async def model_openapi(
        request: Request[Any, Any, Any], endpoint_id: FromQuery[str] = ""
    ) -> Response[dict[str, Any]]:
        return Response(
            document(find_model(ports.models, endpoint_id), address.base_url(request.scope))
        )

    return model_openapi


def document(spec: ModelSpec, base_url: str) -> dict[str, Any]:
    """Build the document of a model served at `base_url`."""
    text = _TEMPLATE
    for place, value in (
        ("<endpoint>", spec.endpoint),
        ("<category>", spec.category),
        ("<schema>", spec.schema_name),
        ("<base_url>", base_url),
    ):
        text = text.replace(place, msgspec.json.encode(value).decode()[1:-1])
    found: dict[str, Any] = msgspec.json.decode(text)
    found["components"]["schemas"].update(schemas(spec))
    return found


def schemas(spec: ModelSpec) -> dict[str, Any]:
    """Return the schemas of a model's structs under fal's names for them."""
    structs = {spec.input.__name__: "Input", spec.output.__name__: "Output"}
    names = {name: f"{spec.schema_name}{part}" for name, part in structs.items()}
    _, found = msgspec.json.schema_components(
        [spec.input, spec.output], ref_template=f"{_REF}{{name}}"
    )
    made = {names.get(name, name): _object(node, names) for name, node in found.items()}
    for name, hint in get_type_hints(spec.input).items():
        chosen = made[f"{spec.schema_name}Input"]["properties"][name]
        for node in chosen.get("anyOf", [chosen]):
            if "enum" in node:
                _in_order(node, hint)
    return made


def _in_order(node: dict[str, Any], hint: Any) -> None:
    """List values as they are declared, as fal does; msgspec sorts them."""
    for each in (hint, *get_args(hint)):
        if get_origin(each) is Literal and sorted(get_args(each)) == node["enum"]:
            node.update({"type": "string", "enum": list(get_args(each))})


def _object(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    properties = {name: _older(value, names) for name, value in node["properties"].items()}
    return {
        "type": "object",
        "title": names.get(node["title"], node["title"]),
        **({"required": node["required"]} if node["required"] else {}),
        "properties": properties,
        "x-fal-order-properties": list(properties),
    }


def _older(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Convert a property to OpenAPI 3.0, which has no `null` as a type or default."""
    if "$ref" in node:
        name = node["$ref"].removeprefix(_REF)
        return {"$ref": f"{_REF}{names.get(name, name)}"}
    kept = {key: value for key, value in node.items() if (key, value) != ("default", None)}
    if "items" in kept:
        kept["items"] = _older(kept["items"], names)
    if "anyOf" in kept:
        either = [_older(each, names) for each in kept.pop("anyOf") if each != {"type": "null"}]
        return {**either[0], **kept} if len(either) == 1 else {"anyOf": either, **kept}
    return kept
