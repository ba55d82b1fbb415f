"""Arguments of a described model are read, refused and bought as those of any other."""

import json
from typing import Any

import msgspec
import pytest
from easel import easel, inputs

from falgate.cache.fingerprint import fingerprint
from falgate.core.errors import InputRejected
from falgate.models.arguments import read

SPEC = easel()
JSON = "application/json"


def ask(**fields: Any) -> Any:
    return read(SPEC, json.dumps({"prompt": "a fox", **fields}).encode(), JSON).arguments


def problems(**fields: Any) -> list[tuple[str, list[str | int]]]:
    with pytest.raises(InputRejected) as caught:
        ask(**fields)
    return [(issue["type"], issue["loc"][1:]) for issue in caught.value.issues]


def why(**fields: Any) -> str:
    with pytest.raises(InputRejected) as caught:
        ask(**fields)
    (issue,) = caught.value.issues
    return str(issue["msg"])


def pool(**fields: Any) -> str:
    return fingerprint(SPEC, ask(**fields), upstream="fal", scope="organisation")


def test_defaults_are_spelt_out_and_what_has_none_is_left_out() -> None:
    assert SPEC.purchase(ask(), 2) == {
        "prompt": "a fox",
        "image_size": {"width": 1024, "height": 768},
        "quality": "high",
        "safety_tolerance": "2",
        "strength": 1.0,
        "steps": 30,
        "border": 4,
        "brushes": [],
        "output_format": "png",
        "num_images": 2,
        "sync_mode": False,
    }


def test_a_null_is_nothing_where_there_is_no_default() -> None:
    assert ask(seed=None, note=None) == ask()
    assert SPEC.purchase(ask(seed=7, border=None), 1).items() >= {"seed": 7, "border": None}.items()


def test_both_readers_understand_the_same() -> None:
    """pydantic reads what msgspec does not, such as numbers in texts."""
    brush = {"name": "fine", "tip": {"width": 2}}
    plain = ask(strength=0.5, steps=3, brushes=[brush], image_size={"width": 640, "height": 512})

    assert plain == ask(
        strength="0.5",
        steps="3",
        brushes=[{"name": "fine", "tip": {"width": "2"}}],
        image_size={"width": "640"} | {"height": 512},
    )
    assert msgspec.to_builtins(plain.brushes) == [{"name": "fine", "tip": {"width": 2.0}}]


def test_problems_are_named_as_at_fal() -> None:
    assert problems(
        prompt="a",
        image_size={"width": 0},
        quality="best",
        safety_tolerance=2,
        strength=2,
        steps=0,
        seed="x",
        brushes=[{"name": "fine"}],
        num_images=5,
    ) == [
        ("string_too_short", ["prompt"]),
        ("greater_than", ["image_size", "ImageSize", "width"]),
        ("literal_error", ["image_size", "literal['square','wide','auto']"]),
        ("literal_error", ["quality"]),
        ("literal_error", ["safety_tolerance"]),
        ("less_than_equal", ["strength"]),
        ("greater_than", ["steps"]),
        ("int_parsing", ["seed"]),
        ("missing", ["brushes", 0, "tip"]),
        ("less_than_equal", ["num_images"]),
    ]


def test_a_folded_size_is_the_same_request() -> None:
    assert pool(image_size="square") == pool(image_size={"width": 512, "height": 512})
    assert pool(image_size="wide") != pool(image_size="auto")


def test_number_and_delivery_are_outside_the_pool_until_there_is_a_seed() -> None:
    assert pool(num_images=3, sync_mode=True) == pool()
    assert pool(num_images=3, seed=7) != pool(seed=7) == pool(seed=7, sync_mode=True)
    assert pool(seed=0) != pool(seed=None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"image_size": {"width": 1000, "height": 1000}}, "multiples of 16"),
        ({"image_size": {"width": 2048, "height": 2064}}, "pixels"),
        ({"quality": "high", "output_format": "jpeg"}, "does not sell quality high with output"),
        ({"note": "https://example.com/a.png"}, "may not hold a URL"),
        ({"note": " DATA:image/png;base64,aaaa"}, "may not hold a URL"),
        ({"brushes": [{"name": "gs://a/b", "tip": {}}]}, "may not hold a URL"),
    ],
)
def test_what_the_document_cannot_say_is_refused_too(fields: dict[str, Any], words: str) -> None:
    assert words in why(**fields)


def test_a_prompt_may_speak_of_urls() -> None:
    assert ask(prompt="https://example.com on a screen").prompt.startswith("https://")


def test_a_closed_argument_must_stay_as_it_is() -> None:
    spec = easel(lambda declared: declared.update(closed=["brushes", "note"]))

    def refused(**fields: Any) -> list[Any]:
        body = json.dumps({"prompt": "a fox", **fields}).encode()
        with pytest.raises(InputRejected) as caught:
            read(spec, body, JSON)
        return [issue["loc"] for issue in caught.value.issues]

    assert read(spec, b'{"prompt": "a fox", "brushes": [], "note": null}', JSON).dropped == ()
    assert refused(note="x") == [["body", "note"]]
    assert refused(brushes=[{"name": "a", "tip": {}}]) == [["body", "brushes"]]


def test_a_field_that_fal_adds_is_in_the_fingerprint() -> None:
    later = easel(publish=lambda it: inputs(it).update(mood={"type": "string", "default": "calm"}))
    arguments = read(later, b'{"prompt": "a fox"}', JSON).arguments

    assert fingerprint(later, arguments, upstream="fal", scope="organisation") != pool()
