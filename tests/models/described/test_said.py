"""What a result says beside its files is kept with each picture, as far as there is room."""

from typing import Any

from easel import easel, lone, publish_lone

from falgate.models.endpoints import MODELS
from falgate.models.said import KEPT_BYTES_MAX, NOTHING, Said, said

SPEC = easel()
FILE = {"url": "https://a"}


def of(**output: Any) -> Said:
    (found,) = said(SPEC, {"images": [FILE], **output})
    return found


def test_only_declared_fields_are_kept() -> None:
    assert of(seed=3, prompt="a fox", has_nsfw_concepts=[False]) == Said(
        b'{"seed":3}', b'{"has_nsfw_concepts":false}'
    )


def test_what_is_missing_or_short_is_left_out() -> None:
    assert of() == NOTHING
    assert of(has_nsfw_concepts=[], scores="none") == NOTHING
    assert of(scores=[None]) == Said(parallels=b'{"scores":null}')


def test_anything_but_false_is_a_flag() -> None:
    assert [of(has_nsfw_concepts=[flag]).flagged for flag in (True, 1, "yes", False, None)] == [
        *(True, True, True),
        *(False, False),
    ]


def test_what_is_too_long_is_left_out() -> None:
    assert of(seed=1, timings={"x": "y" * KEPT_BYTES_MAX}).scalars == b'{"seed":1}'


def test_a_single_picture_is_found_where_it_is() -> None:
    spec = easel(lone, publish_lone)
    output = {"image": FILE, "seed": 3}

    assert spec.files(output) == (FILE,)
    assert said(spec, output) == (Said(b'{"seed":3}'),)
    assert said(spec, {"image": None}) == said(spec, {"images": [FILE]}) == ()


def test_a_model_without_such_fields_keeps_nothing() -> None:
    spec = MODELS["openai/gpt-image-2"]

    assert said(spec, {"images": [FILE, FILE], "seed": 1}) == (NOTHING, NOTHING)
    assert said(SPEC, {"images": None}) == said(SPEC, None) == ()
