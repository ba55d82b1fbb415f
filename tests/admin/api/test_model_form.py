"""A form can be made for every model without knowing any of them."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from shipped import SHIPPED

from falgate.accounts.operator import Operator
from falgate.admin.model_form import FormField, form
from falgate.http.fal_openapi import schemas
from falgate.models import arguments
from falgate.models.endpoints import MODELS
from falgate.models.spec import ModelSpec

ALL = {**MODELS, **SHIPPED}
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def fields(client: httpx.Client, endpoint: str) -> dict[str, Any]:
    """The fields of a form, by name."""
    found = client.get(f"/models/{endpoint.replace('/', ':')}/form")
    assert found.status_code == 200, found.text
    return {each["name"]: each for each in found.json()["fields"]}


def test_a_form_has_the_arguments_in_order_with_kinds_and_limits(client: httpx.Client) -> None:
    found = fields(client, "openai/gpt-image-2")

    assert list(found)[:2] == ["prompt", "image_size"]
    prompt, size, number = found["prompt"], found["image_size"], found["num_images"]
    assert (prompt["kind"], prompt["required"], prompt["least"]) == ("long_text", True, 1)
    assert (size["kind"], size["default"], size["values"][-1]) == (
        "choice",
        "landscape_4_3",
        "auto",
    )
    assert [each["name"] for each in size["custom"]] == ["width", "height"]
    assert (size["custom"][0]["kind"], size["custom"][0]["above"]) == ("whole", True)
    assert (number["kind"], number["minimum"], number["maximum"]) == ("whole", 1, 4)
    assert found["quality"]["values"] == ["auto", "low", "medium", "high"]
    assert found["sync_mode"]["kind"] == "switch"
    assert [name for name, each in found.items() if each["advanced"]] == [
        "background",
        "output_format",
        "sync_mode",
    ]


def test_input_pictures_and_masks_are_marked(client: httpx.Client) -> None:
    found = fields(client, "openai/gpt-image-2/edit")

    images, mask = found["image_urls"], found["mask_url"]
    assert (images["kind"], images["least"], images["most"]) == ("pictures", 1, 16)
    assert not images["one_picture"]
    assert (mask["kind"], mask["least"], mask["one_picture"]) == ("pictures", 0, True)
    assert (mask["mask_of"], mask["picture_types"]) == ("image_urls", ["image/png"])


def test_an_unknown_model_has_no_form(client: httpx.Client) -> None:
    assert client.get("/models/acme:none/form").status_code == 404


@pytest.mark.usefixtures("redis")
async def test_leads_and_viewers_see_forms(
    signed_in: Callable[[Operator], httpx.AsyncClient],
) -> None:
    for operator in (
        Operator(who="lead:ann", role="lead", team="web"),
        Operator(who="viewer:bob", role="viewer"),
    ):
        async with signed_in(operator) as client:
            assert (await client.get("/models/openai:gpt-image-2/form")).status_code == 200


def sample(field: FormField) -> Any:
    """A value that a form would allow for a required field."""
    if field.kind == "pictures":
        return PICTURE if field.one_picture else [PICTURE]
    return field.default if field.default is not None else "a cat"


@pytest.mark.parametrize("spec", ALL.values(), ids=list(ALL))
def test_what_a_form_allows_the_model_takes(spec: ModelSpec) -> None:
    found = form(spec, schemas(spec))
    assert [each.name for each in found] == list(spec.input.__struct_fields__)
    needed = {each.name: sample(each) for each in found if each.required}

    for field in found:
        for value in field.values or ([field.default] if field.default is not None else []):
            body = msgspec.json.encode({**needed, field.name: value})
            parsed = arguments.read(spec, body, "application/json")
            assert field.name in parsed.arguments.__struct_fields__
