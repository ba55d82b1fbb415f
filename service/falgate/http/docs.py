"""The OpenAPI document: general information, and the operations of the models."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    RequestBody,
    Schema,
    SecurityScheme,
)

from falgate import __version__
from falgate.http.docs_page import Page, page_router
from falgate.models.spec import ModelSpec

_CAPITAL = re.compile(r"[A-Z]")


def openapi() -> OpenAPIConfig:
    """Return the configuration of the document at /docs/openapi.json and its page at /docs."""
    return OpenAPIConfig(
        title="falgate",
        version=__version__,
        description="fal's image models with budgets and a cache. Same paths and bodies as fal's.",
        components=Components(
            security_schemes={
                "apiKeyAuth": SecurityScheme(
                    type="apiKey",
                    name="Authorization",
                    security_scheme_in="header",
                    description="`Key fg_...`",
                ),
                "adminKeyAuth": SecurityScheme(
                    type="apiKey",
                    name="Authorization",
                    security_scheme_in="header",
                    description="`Key fg_admin_...` or `Key fg_oper_...`",
                ),
            }
        ),
        render_plugins=[Page()],
        openapi_router=page_router(),
    )


def documented(
    spec: ModelSpec,
    *,
    answer: type[msgspec.Struct] | None = None,
    meaning: str = "The pictures",
) -> type[Operation]:
    """Return the operation of a model's route, whose bodies the framework does not parse.

    Args:
        spec: The model.
        answer: Body of a 200, if not the model's own output.
        meaning: Description of a 200.
    """

    @dataclass
    class ModelOperation(Operation):
        """One model's operation."""

        def __post_init__(self) -> None:
            self.tags = ["models"]
            self.security = [{"apiKeyAuth": []}]
            self.request_body = RequestBody(content=_json(spec.input), required=True)
            self.responses = {
                "200": OpenAPIResponse(description=meaning, content=_json(answer or spec.output)),
                **{
                    status: OpenAPIResponse(description=meaning)
                    for status, meaning in _REFUSALS.items()
                },
            }

    return ModelOperation


_REFUSALS = {
    "401": "The key is missing or unknown",
    "402": "A budget has no room, or an operator stopped purchases; nothing was bought",
    "403": "The key is disabled, revoked or expired, or not allowed to do this",
    "413": "The body is too large",
    "422": "The input is invalid; the body lists every problem",
    "429": "A rate limit is exceeded; nothing was held",
    "500": "fal refused the gateway's own request",
    "503": "Redis, the picture store or fal is unavailable; nothing was bought",
    "504": "The purchase takes longer; it goes on, and a repeated request will find it",
}


def _json(struct: type[msgspec.Struct]) -> dict[str, OpenAPIMediaType]:
    (schema,), components = msgspec.json.schema_components([struct])
    return {"application/json": OpenAPIMediaType(schema=_schema(schema, components))}


def _schema(node: Any, components: dict[str, Any]) -> Schema:
    """Convert a JSON schema to Litestar's object, with references resolved inline."""
    if "$ref" in node:
        return _schema(components[node["$ref"].rpartition("/")[2]], components)
    # Litestar spells "anyOf" as "any_of".
    fields = {_CAPITAL.sub(lambda found: f"_{found[0].lower()}", name): node[name] for name in node}
    if "properties" in fields:
        fields["properties"] = {
            name: _schema(value, components) for name, value in fields["properties"].items()
        }
    if "items" in fields:
        fields["items"] = _schema(fields["items"], components)
    if "any_of" in fields:
        fields["any_of"] = [_schema(value, components) for value in fields["any_of"]]
    return Schema(**fields)
