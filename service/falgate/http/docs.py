"""The OpenAPI document: what is said of every route, and of the models' own."""

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

_ALIASES = {"anyOf": "any_of", "$ref": "ref"}


def openapi() -> OpenAPIConfig:
    """The document at /docs/openapi.json and its page at /docs."""
    return OpenAPIConfig(
        title="falgate",
        version=__version__,
        description="fal's image models behind budgets and a cache. Same paths, same bodies.",
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
                    description="`Key fg_admin_...`",
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
    """An operation that takes a model's body: that is read and written without the framework.

    Args:
        spec: The model.
        answer: What a 200 holds, if not the model's own answer.
        meaning: Of a 200.
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
    "401": "No key, or none that is known",
    "402": "A budget has no room for it; nothing was bought",
    "403": "The key may not be used, or not for this",
    "413": "The body is too large",
    "422": "What is wrong with the input, all of it",
    "429": "A limit on pace has no room; nothing was held",
    "500": "fal refused this gateway's own request",
    "503": "Redis, the picture store or fal is not there; nothing was bought",
    "504": "It takes longer; the purchase goes on, and a repeat finds it",
}


def _json(struct: type[msgspec.Struct]) -> dict[str, OpenAPIMediaType]:
    (schema,), components = msgspec.json.schema_components([struct])
    return {"application/json": OpenAPIMediaType(schema=_schema(schema, components))}


def _schema(node: Any, components: dict[str, Any]) -> Schema:
    """A JSON schema as Litestar's object, with what it refers to put in its place."""
    if "$ref" in node:
        return _schema(components[node["$ref"].rpartition("/")[2]], components)
    fields = {_ALIASES.get(name, name): value for name, value in node.items()}
    if "properties" in fields:
        fields["properties"] = {
            name: _schema(value, components) for name, value in fields["properties"].items()
        }
    if "items" in fields:
        fields["items"] = _schema(fields["items"], components)
    if "any_of" in fields:
        fields["any_of"] = [_schema(value, components) for value in fields["any_of"]]
    return Schema(**fields)
