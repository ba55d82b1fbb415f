"""fal's OpenAPI document of one model's queue, generated from the model's declaration."""

from collections.abc import Mapping
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
_TEXT = {"type": "string"}
_STATUS = {
    "type": "object",
    "title": "QueueStatus",
    "required": ["status", "request_id"],
    "properties": {
        "status": {**_TEXT, "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]},
        "request_id": {**_TEXT, "description": "The request id."},
        "response_url": {**_TEXT, "description": "The response url."},
        "status_url": {**_TEXT, "description": "The status url."},
        "cancel_url": {**_TEXT, "description": "The cancel url."},
        "logs": {"type": "object", "additionalProperties": True, "description": "The logs."},
        "metrics": {"type": "object", "additionalProperties": True, "description": "The metrics."},
        "queue_position": {"type": "integer", "description": "The queue position."},
    },
}
_REQUEST_ID = {
    "name": "request_id",
    "in": "path",
    "required": True,
    "schema": {**_TEXT, "description": "Request ID"},
}
_LOGS = {
    "name": "logs",
    "in": "query",
    "required": False,
    "schema": {"type": "number", "description": "Whether to include logs (`1`) or not (`0`)."},
}


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
        return Response(document(find_model(ports, endpoint_id), address.base_url(request)))

    return model_openapi


def document(spec: ModelSpec, base_url: str) -> dict[str, Any]:
    """Build the document of a model served at `base_url`."""
    endpoint, page = spec.endpoint, f"https://fal.ai/models/{spec.endpoint}"
    return {
        "openapi": "3.0.4",
        "info": {
            "title": f"Queue OpenAPI for {endpoint}",
            "version": "1.0.0",
            "description": f"The OpenAPI schema for the {endpoint} queue.",
            "x-fal-metadata": {
                "endpointId": endpoint,
                "category": spec.category,
                "thumbnailUrl": "",
                "playgroundUrl": page,
                "documentationUrl": f"{page}/api",
            },
        },
        "components": {
            "securitySchemes": {
                "apiKeyAuth": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Fal Key",
                }
            },
            "schemas": {"QueueStatus": _STATUS, **_schemas(spec)},
        },
        "paths": _paths(spec),
        "servers": [{"url": f"{base_url}/queue"}],
        "security": [{"apiKeyAuth": []}],
    }


def _paths(spec: ModelSpec) -> dict[str, Any]:
    requests = f"/{spec.endpoint}/requests/{{request_id}}"
    cancelled = {"type": "object", "properties": {"success": {"type": "boolean"}}}
    return {
        f"{requests}/status": {
            "get": {
                "parameters": [_REQUEST_ID, _LOGS],
                "responses": _ok("The request status.", _ref("QueueStatus")),
            }
        },
        f"{requests}/cancel": {
            "put": {
                "parameters": [_REQUEST_ID],
                "responses": _ok("The request was cancelled.", cancelled),
            }
        },
        f"/{spec.endpoint}": {
            "post": {
                "parameters": [],
                "requestBody": {
                    "required": True,
                    "content": _json(_ref(f"{spec.schema_name}Input")),
                },
                "responses": _ok("The request status.", _ref("QueueStatus")),
            }
        },
        requests: {
            "get": {
                "parameters": [_REQUEST_ID],
                "responses": _ok("Result of the request.", _ref(f"{spec.schema_name}Output")),
            }
        },
    }


def _ok(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"200": {"description": description, "content": _json(schema)}}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"{_REF}{name}"}


def _schemas(spec: ModelSpec) -> dict[str, Any]:
    """Return the schemas of a model's structs under fal's names for them."""
    structs = {spec.input.__name__: "Input", spec.output.__name__: "Output"}
    names = {name: f"{spec.schema_name}{part}" for name, part in structs.items()}
    _, found = msgspec.json.schema_components(
        [spec.input, spec.output], ref_template=f"{_REF}{{name}}"
    )
    schemas = {names.get(name, name): _object(node, names) for name, node in found.items()}
    # msgspec sorts enum values; fal lists them in declaration order.
    for name, hint in get_type_hints(spec.input).items():
        if get_origin(hint) is Literal:
            chosen = schemas[f"{spec.schema_name}Input"]["properties"][name]
            chosen.update({**_TEXT, "enum": list(get_args(hint))})
    return schemas


def _object(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    properties = {name: _older(value, names) for name, value in node["properties"].items()}
    return {
        "type": "object",
        "title": names.get(node["title"], node["title"]),
        "required": node["required"],
        "properties": properties,
        "x-fal-order-properties": list(properties),
    }


def _older(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Convert a property to OpenAPI 3.0, which has no `null` as a type or default."""
    if "$ref" in node:
        name = node["$ref"].removeprefix(_REF)
        return _ref(names.get(name, name))
    kept = {key: value for key, value in node.items() if (key, value) != ("default", None)}
    if "items" in kept:
        kept["items"] = _older(kept["items"], names)
    if "anyOf" in kept:
        either = [_older(each, names) for each in kept.pop("anyOf") if each != {"type": "null"}]
        return {**either[0], **kept} if len(either) == 1 else {"anyOf": either, **kept}
    return kept
