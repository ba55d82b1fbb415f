"""A described model whose document has everything that fal's documents may have."""

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import tomli_w

from falgate.models.described.loader import load
from falgate.models.spec import ModelSpec

ENDPOINT = "acme/easel/paint"
Change = Callable[[dict[str, Any]], object]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def schema(title: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "title": title,
        "required": list(required),
        "properties": properties,
        "x-fal-order-properties": list(properties),
    }


def _json(of: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": of}}


_SIDE = {"type": "integer", "default": 512, "exclusiveMinimum": 0, "maximum": 14142}
_SIZES = ["square", "wide", "auto"]
_SCHEMAS: dict[str, Any] = {
    "EaselPaintInput": schema(
        "PaintInput",
        {
            "prompt": {"title": "Prompt", "type": "string", "minLength": 2, "maxLength": 1000},
            "image_size": {
                "title": "Image Size",
                "anyOf": [ref("ImageSize"), {"type": "string", "enum": _SIZES}],
                "default": {"width": 1024, "height": 768},
            },
            "quality": {"type": "string", "enum": ["low", "high"], "default": "high"},
            "safety_tolerance": {"type": "string", "enum": ["1", "2", "3"], "default": "2"},
            "strength": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
            "steps": {"type": "integer", "exclusiveMinimum": 0, "maximum": 50, "default": 30},
            "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "x-fal": {"new": True}},
            "border": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 4},
            "note": {"type": "string", "x-unheard-of": 1},
            "brushes": {"type": "array", "items": ref("Brush"), "default": [], "maxItems": 3},
            "output_format": {"type": "string", "enum": ["jpeg", "png"], "default": "png"},
            "num_images": {"type": "integer", "minimum": 1, "maximum": 8, "default": 1},
            "sync_mode": {"type": "boolean", "default": False},
        },
        "prompt",
    ),
    "ImageSize": schema("ImageSize", {"width": _SIDE, "height": _SIDE}),
    "Brush": schema(
        "Brush", {"name": {"type": "string"}, "tip": {"allOf": [ref("Tip")]}}, "name", "tip"
    ),
    "Tip": schema("Tip", {"width": {"type": "number", "default": 1.5}}),
    "EaselPaintOutput": schema(
        "PaintOutput",
        {
            "images": {"type": "array", "items": ref("File")},
            "seed": {"type": "integer"},
            "timings": {"type": "object", "additionalProperties": True},
            "has_nsfw_concepts": {"type": "array", "items": {"type": "boolean"}},
            "scores": {"type": "array", "items": {"type": "number"}},
        },
        "images",
        "seed",
    ),
    "File": schema("File", {"url": {"type": "string"}, "content_type": {"type": "string"}}, "url"),
}


def document() -> dict[str, Any]:
    """fal's document of the model."""
    path = f"/{ENDPOINT}"
    answers = {"200": {"content": _json(ref("EaselPaintOutput"))}}
    return copy.deepcopy(
        {
            "openapi": "3.0.4",
            "info": {"title": "Queue OpenAPI", "x-fal-metadata": {"category": "text-to-image"}},
            "components": {"schemas": _SCHEMAS},
            "paths": {
                path: {"post": {"requestBody": {"content": _json(ref("EaselPaintInput"))}}},
                f"{path}/requests/{{request_id}}": {"get": {"responses": answers}},
            },
        }
    )


def declaration() -> dict[str, Any]:
    """The declaration of the model; the hash is added when it is written."""
    terms = [
        {"of": "picture", "usd": "0.01", "times": {"quality": {"low": "0.5", "high": "1"}}},
        {"of": "megapixel", "usd": "0.003", "free": 1, "unknown_size": [2048, 2048]},
        {"of": "byte", "usd": "0.0000015", "plus": 10},
        {"of": "picture", "usd": "0.002", "usual": "0.0005", "when": {"safety_tolerance": "3"}},
    ]
    return {
        "endpoint": ENDPOINT,
        "title": "Easel",
        "openapi": {"file": "easel.json"},
        "schema_version": 1,
        "unkeyed": ["num_images", "sync_mode"],
        "refuse": [{"quality": "high", "output_format": "jpeg"}],
        "unpooled": [{"note": "today"}],
        "closed": [],
        "fields": {
            "prompt": "prompt",
            "count": "num_images",
            "count_max": 4,
            "inline": "sync_mode",
            "format": "output_format",
            "quality": "quality",
            "size": "image_size",
            "seed": "seed",
        },
        "outputs": {
            "files": "images[*]",
            "scalars": ["seed", "timings"],
            "parallel": ["scores"],
            "flags": ["has_nsfw_concepts"],
        },
        "size": {
            "pixels": [4096, 2048 * 2048],
            "fold": {"square": [512, 512]},
            "unknown": ["wide", "auto"],
            "multiple_of": 16,
            "edge_max": 2560,
        },
        "price": {"version": "2026-11", "round_up_to": "0.0001", "terms": terms},
    }


def files(declare: Change | None = None, publish: Change | None = None) -> tuple[str, bytes]:
    """The two files, after changes to what they say."""
    declared, published = declaration(), document()
    if declare:
        declare(declared)
    if publish:
        publish(published)
    data = json.dumps(published).encode()
    declared["openapi"] = {"sha256": hashlib.sha256(data).hexdigest(), **declared["openapi"]}
    return tomli_w.dumps(declared), data


def easel(declare: Change | None = None, publish: Change | None = None) -> ModelSpec:
    """The model, after changes to its files."""
    text, data = files(declare, publish)
    return load("easel.toml", text, lambda _: data)


def lone(declared: dict[str, Any]) -> None:
    """Declare a model whose result has a single picture."""
    declared["outputs"] = {"files": "image", "scalars": ["seed"]}
    declared["unkeyed"] = ["sync_mode"]
    for name in ("count", "count_max"):
        del declared["fields"][name]


def publish_lone(published: dict[str, Any]) -> None:
    """Publish such a model."""
    del inputs(published)["num_images"]
    outputs(published).pop("images")
    outputs(published)["image"] = ref("File")
    published["components"]["schemas"]["EaselPaintOutput"]["required"] = ["image", "seed"]


def inputs(published: dict[str, Any]) -> dict[str, Any]:
    """The arguments in a document."""
    found: dict[str, Any] = published["components"]["schemas"]["EaselPaintInput"]["properties"]
    return found


def outputs(published: dict[str, Any]) -> dict[str, Any]:
    """The fields of results in a document."""
    found: dict[str, Any] = published["components"]["schemas"]["EaselPaintOutput"]["properties"]
    return found
