"""fal's OpenAPI document of a model: fal's structure, this gateway's address."""

import re
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from patience import PATIENCE_S
from schemathesis.specs.openapi.definitions import OPENAPI_30_VALIDATOR

from falgate.models.endpoints import MODELS
from falgate.models.endpoints.gpt_image_1_5 import SPEC, Input
from falgate.models.output import ImageFile

PATH = "/api/openapi/queue/openapi.json"
MODEL = f"/{SPEC.endpoint}"


@pytest.fixture
async def document(gateway: Any) -> Any:
    """The document, as somebody without a key gets it."""
    async with httpx.AsyncClient(
        base_url=gateway.url, trust_env=False, timeout=PATIENCE_S
    ) as stranger:
        answer = await stranger.get(PATH, params={"endpoint_id": SPEC.endpoint})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_it_says_what_fals_says(document: Any) -> None:
    assert document["openapi"] == "3.0.4"
    assert document["info"] == {
        "title": "Queue OpenAPI for fal-ai/gpt-image-1.5",
        "version": "1.0.0",
        "description": "The OpenAPI schema for the fal-ai/gpt-image-1.5 queue.",
        "x-fal-metadata": {
            "endpointId": "fal-ai/gpt-image-1.5",
            "category": "text-to-image",
            "thumbnailUrl": "",
            "playgroundUrl": "https://fal.ai/models/fal-ai/gpt-image-1.5",
            "documentationUrl": "https://fal.ai/models/fal-ai/gpt-image-1.5/api",
        },
    }
    assert document["components"]["securitySchemes"] == {
        "apiKeyAuth": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Fal Key",
        }
    }
    assert document["security"] == [{"apiKeyAuth": []}]


async def test_its_server_is_this_gateways_queue(
    document: Any, gateway: Any, managed: Any, client: httpx.AsyncClient
) -> None:
    assert document["servers"] == [{"url": f"{gateway.url}/queue"}]
    named = {"X-Forwarded-Host": "images.example", "X-Forwarded-Prefix": "/fal"}
    query = {"endpoint_id": SPEC.endpoint}
    async with managed.client() as behind:
        told = await behind.get(PATH, params=query, headers=named)
    assert told.json()["servers"] == [{"url": "http://images.example/fal/queue"}]
    untold = await client.get(PATH, params=query, headers=named)
    assert untold.json()["servers"] == [{"url": f"{gateway.url}/queue"}]


def test_it_has_the_four_operations_of_the_queue(document: Any) -> None:
    requests = f"{MODEL}/requests/{{request_id}}"
    operations = {path: list(item) for path, item in document["paths"].items()}
    assert operations == {
        MODEL: ["post"],
        requests: ["get"],
        f"{requests}/status": ["get"],
        f"{requests}/cancel": ["put"],
    }
    answers = {
        path: operation["responses"]["200"]["content"]["application/json"]["schema"]
        for path, item in document["paths"].items()
        for operation in item.values()
    }
    assert answers == {
        MODEL: {"$ref": "#/components/schemas/QueueStatus"},
        requests: {"$ref": "#/components/schemas/GptImage15Output"},
        f"{requests}/status": {"$ref": "#/components/schemas/QueueStatus"},
        f"{requests}/cancel": {"type": "object", "properties": {"success": {"type": "boolean"}}},
    }
    body = document["paths"][MODEL]["post"]["requestBody"]
    assert body["required"] is True
    assert body["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/GptImage15Input"}}
    }
    logs = document["paths"][f"{requests}/status"]["get"]["parameters"][1]
    assert (logs["name"], logs["in"], logs["schema"]["type"]) == ("logs", "query", "number")


def test_its_schemas_are_the_models(document: Any) -> None:
    schemas = document["components"]["schemas"]
    given, answer, file = (schemas[n] for n in ("GptImage15Input", "GptImage15Output", "ImageFile"))
    status = schemas["QueueStatus"]

    assert set(schemas) == {"QueueStatus", "GptImage15Input", "GptImage15Output", "ImageFile"}
    assert (
        given["x-fal-order-properties"] == list(given["properties"]) == [*Input.__struct_fields__]
    )
    assert (given["title"], given["required"]) == ("GptImage15Input", ["prompt"])
    declared = get_type_hints(Input)
    for name in ("image_size", "background", "quality", "output_format"):
        field = given["properties"][name]
        assert (field["type"], field["enum"]) == ("string", list(get_args(declared[name])))
    number = given["properties"]["num_images"]
    assert [number[k] for k in ("minimum", "maximum", "default", "examples")] == [1, 4, 1, [1]]
    assert all(f["title"] and f["description"] for f in given["properties"].values())
    assert answer["properties"]["images"]["items"] == {"$ref": "#/components/schemas/ImageFile"}
    assert file["x-fal-order-properties"] == [*ImageFile.__struct_fields__]
    assert {name: f["type"] for name, f in file["properties"].items()} == {
        "url": "string", "content_type": "string", "file_name": "string",
        "file_size": "integer", "width": "integer", "height": "integer",
    }  # fmt: skip
    assert status["required"] == ["status", "request_id"]
    assert set(status["properties"]) == {
        "status", "request_id", "response_url", "status_url", "cancel_url", "logs", "metrics",
        "queue_position",
    }  # fmt: skip
    assert status["properties"]["status"]["enum"] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]


async def test_every_model_has_one_that_is_valid_but_for_words_that_fal_uses_too(
    client: httpx.AsyncClient,
) -> None:
    """OpenAPI 3.0 has `example`, and its `exclusiveMinimum` is true or false; fal's are others."""
    for spec in MODELS.values():
        answer = await client.get(PATH, params={"endpoint_id": spec.endpoint})
        strict = answer.json()
        schemas = strict["components"]["schemas"]
        for field in [field for each in schemas.values() for field in each["properties"].values()]:
            field.pop("examples", None)
            field.pop("exclusiveMinimum", None)

        assert [error.message for error in OPENAPI_30_VALIDATOR.iter_errors(strict)] == []
        assert not OPENAPI_30_VALIDATOR.is_valid({**strict, "paths": None})
        assert f"{spec.schema_name}Input" in schemas
        assert set(re.findall(r'"#/components/schemas/(\w+)"', answer.text)) <= set(schemas)


async def test_a_size_is_a_preset_or_an_object(client: httpx.AsyncClient) -> None:
    answer = await client.get(PATH, params={"endpoint_id": "openai/gpt-image-2"})
    schemas = answer.json()["components"]["schemas"]
    presets, size = schemas["GptImage2Input"]["properties"]["image_size"]["anyOf"]

    assert (presets["type"], presets["enum"][0]) == ("string", "square_hd")
    assert size == {"$ref": "#/components/schemas/ImageSize"}
    assert schemas["ImageSize"]["x-fal-order-properties"] == ["width", "height"]


@pytest.mark.parametrize(
    ("endpoint", "alias"),
    [
        ("fal-ai/nobody", "nobody"),
        ("fal-ai/gpt-image-1.5/erase", "gpt-image-1.5/erase"),
        ("nobody", "nobody"),
        ("", ""),
        ("fal-ai/../x", "../x"),
        ('fal-ai/"<b>', '"<b>'),
    ],
)
async def test_an_unknown_model_has_none(
    client: httpx.AsyncClient, endpoint: str, alias: str
) -> None:
    answer = await client.get(PATH, params={"endpoint_id": endpoint})

    assert answer.status_code == 404
    assert answer.json() == {"detail": f'Application "{alias}" not found'}
    assert answer.headers["content-type"] == "application/json"


async def test_no_model_is_an_unknown_one(client: httpx.AsyncClient) -> None:
    assert (await client.get(PATH)).status_code == 404
