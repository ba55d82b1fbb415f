"""What of a change at fal is harmless, what stops a model, and what is no change at all."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from easel import ENDPOINT, document, inputs, outputs

from falgate.models.described.drift import differences, digest, price_difference

Change = Callable[[dict[str, Any]], object]


def found(change: Change) -> list[tuple[bool, str]]:
    now = document()
    change(now)
    return [(each.harmless, str(each)) for each in differences(document(), now, ENDPOINT)]


def schemas(published: dict[str, Any]) -> dict[str, Any]:
    return published["components"]["schemas"]  # type: ignore[no-any-return]  # a JSON document


def reordered(published: dict[str, Any]) -> None:
    """Say the same in another order and dialect, with other words and names."""
    inputs(published)["quality"]["enum"].reverse()
    inputs(published)["image_size"]["anyOf"].reverse()
    inputs(published)["prompt"].update(description="new words", examples=["a hare"], title="Text")
    inputs(published)["seed"].update({"x-fal": {"new": False}, "default": None})
    inputs(published)["border"] = {"type": "integer", "default": 4}
    inputs(published)["note"] = {"anyOf": [{"type": "null"}, {"type": "string"}]}
    schemas(published)["EaselPaintInput"]["x-fal-order-properties"].reverse()
    schemas(published)["Pencil"] = schemas(published).pop("Brush")
    inputs(published)["brushes"]["items"] = {"$ref": "#/components/schemas/Pencil"}
    published["info"]["title"] = "Another title"


def test_order_words_and_names_are_no_change() -> None:
    assert found(reordered) == []


CHANGES: dict[str, tuple[Change, list[tuple[bool, str]]]] = {
    "a new argument": (
        lambda it: inputs(it).update(mood={"type": "string"}),
        [(True, "input.mood: new")],
    ),
    "a new field of results": (
        lambda it: outputs(it).update(description={"type": "string"}),
        [(True, "output.description: new")],
    ),
    "a new argument that is required": (
        lambda it: (
            inputs(it).update(mood={"type": "string"}),
            schemas(it)["EaselPaintInput"]["required"].append("mood"),
        ),
        [(False, "input.mood: new, and required")],
    ),
    "a default": (
        lambda it: inputs(it)["quality"].update(default="low"),
        [(False, 'input.quality.default: "high" is now "low"')],
    ),
    "a value": (
        lambda it: inputs(it)["quality"]["enum"].append("max"),
        [(False, 'input.quality.enum: ["high","low"] is now ["high","low","max"]')],
    ),
    "a limit": (
        lambda it: inputs(it)["num_images"].pop("maximum"),
        [(False, "input.num_images.maximum: 8 is now nothing")],
    ),
    "what was optional": (
        lambda it: schemas(it)["EaselPaintInput"]["required"].append("note"),
        [(False, "input.note: is now required")],
    ),
    "what was required": (
        lambda it: schemas(it)["EaselPaintInput"]["required"].remove("prompt"),
        [(False, "input.prompt: is no longer required")],
    ),
    "an argument that is gone": (
        lambda it: inputs(it).pop("border"),
        [(False, "input.border: gone")],
    ),
    "something deeper": (
        lambda it: schemas(it)["Tip"]["properties"]["width"].update(default=2.5),
        [(False, "input.brushes.items.tip.width.default: 1.5 is now 2.5")],
    ),
    "a document of another form": (
        lambda it: it.pop("paths"),
        [(False, "document: it is not understood any longer")],
    ),
    "a cycle": (
        lambda it: schemas(it)["Tip"]["properties"].update(
            brush={"$ref": "#/components/schemas/Brush"}
        ),
        [(False, "document: it is not understood any longer")],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named_and_judged(name: str) -> None:
    change, expected = CHANGES[name]
    told = found(change)

    assert [harmless for harmless, _ in told] == [harmless for harmless, _ in expected]
    assert all(said.startswith(words) for (_, said), (_, words) in zip(told, expected, strict=True))


@pytest.mark.parametrize(
    ("declared", "now", "differs"),
    [("", "1", False), ("0.03", "0.030", False), ("0.03", "3E-2", False), ("0.03", "0.031", True)],
)
def test_a_unit_price_is_compared_as_a_number(declared: str, now: str, differs: bool) -> None:
    assert bool(price_difference(declared, Decimal(now))) is differs


def test_other_differences_have_another_digest() -> None:
    def of(change: Change) -> str:
        now = document()
        change(now)
        return digest(differences(document(), now, ENDPOINT))

    low, gone = (CHANGES[name][0] for name in ("a default", "an argument that is gone"))
    assert of(low) == of(low) != of(gone)
