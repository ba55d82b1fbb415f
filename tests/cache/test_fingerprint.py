"""The fingerprint: what separates pools, and what is only spelling."""

import json
from random import Random
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.cache import fingerprint as module
from falgate.cache.fingerprint import fingerprint
from falgate.models.spec import Expected, ModelSpec


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments of several types."""

    prompt: str
    size: Literal["small", "large"] = "small"
    strength: float = 0.75
    tags: list[str] = []
    seed: int | None = None
    num_images: int = 1
    sync_mode: bool = False


def spec_of(**changes: Any) -> ModelSpec:
    given: dict[str, Any] = {
        "endpoint": "acme/easel",
        "title": "Easel",
        "schema_name": "Easel",
        "category": "text-to-image",
        "input": Input,
        "output": Input,
        "schema_version": 1,
        "price_version": "1",
        "image_price": lambda _: 1,
        "text_ceiling": lambda _, number: number,
        "text_estimate": lambda _, number: number,
        "expected": lambda _: Expected("image/png", 1, 1),
    }
    return ModelSpec(**{**given, **changes})


SPEC = spec_of()


def print_of(arguments: Any, spec: ModelSpec = SPEC, **changes: str) -> str:
    return fingerprint(spec, arguments, **{"upstream": "fal", "scope": "organisation", **changes})


keyed = {
    "prompt": st.text(),
    "size": st.sampled_from(["small", "large"]),
    "strength": st.floats(0, 1),
    "tags": st.lists(st.text(max_size=3), max_size=3),
    "seed": st.none() | st.integers(-(2**53), 2**53),
}
inputs = st.builds(Input, **keyed)


@given(inputs, st.randoms(), st.booleans())
def test_spelling_does_not_matter(arguments: Input, random: Random, escaped: bool) -> None:
    """Key order, left-out defaults, white space and escapes are spelling."""
    defaults = msgspec.to_builtins(Input(prompt=""))
    fields = [
        (name, value)
        for name, value in msgspec.to_builtins(arguments).items()
        if name == "prompt" or value != defaults[name]
    ]
    random.shuffle(fields)
    text = json.dumps(dict(fields), indent=1, ensure_ascii=escaped)

    assert print_of(msgspec.json.decode(text, type=Input)) == print_of(arguments)


@given(inputs, st.integers(1, 4), st.booleans())
def test_number_and_inlining_do_not_matter(arguments: Input, number: int, inline: bool) -> None:
    other = msgspec.structs.replace(arguments, num_images=number, sync_mode=inline)

    assert print_of(other) == print_of(arguments)


@pytest.mark.parametrize("name", keyed)
@given(st.data())
def test_every_other_argument_matters(name: str, data: st.DataObject) -> None:
    arguments = data.draw(inputs)
    value = data.draw(keyed[name])
    other = msgspec.structs.replace(arguments, **{name: value})

    same = msgspec.json.encode(other) == msgspec.json.encode(arguments)
    assert (print_of(other) == print_of(arguments)) == same


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (SPEC, {"upstream": "sandbox"}),
        (SPEC, {"scope": "team red"}),
        (SPEC, {"variation": "second"}),
        (spec_of(endpoint="acme/easel/pro"), {}),
        (spec_of(schema_version=2), {}),
    ],
)
def test_who_sells_who_shares_and_which_schema_matter(
    spec: ModelSpec, changes: dict[str, str]
) -> None:
    arguments = Input(prompt="a cat")

    assert print_of(arguments, spec, **changes) != print_of(arguments)


@given(st.text(), st.text(), st.text(), st.text())
def test_what_stands_beside_each_other_does_not_run_together(
    upstream: str, scope: str, other_upstream: str, other_scope: str
) -> None:
    arguments = Input(prompt="a cat")
    one = print_of(arguments, upstream=upstream, scope=scope)
    other = print_of(arguments, upstream=other_upstream, scope=other_scope)

    assert (one == other) == ((upstream, scope) == (other_upstream, other_scope))
    assert print_of(arguments, upstream="a", scope="bc") != print_of(
        arguments, upstream="ab", scope="c"
    )
    assert print_of(arguments, scope="x", variation="") != print_of(
        arguments, scope="", variation="x"
    )


def test_prices_and_titles_do_not_matter() -> None:
    dearer = spec_of(title="New", price_version="2", image_price=lambda _: 2, recorded=("size",))

    assert print_of(Input(prompt="a cat"), dearer) == print_of(Input(prompt="a cat"))


def test_a_new_field_is_part_of_it_without_being_named_anywhere() -> None:
    class Wider(Input, frozen=True, kw_only=True):
        style: str = "plain"

    spec = spec_of(input=Wider)

    plain = print_of(Wider(prompt="a cat"), spec)
    assert plain != print_of(Input(prompt="a cat"))
    assert plain != print_of(Wider(prompt="a cat", style="ornate"), spec)
    assert plain == print_of(Wider(prompt="a cat", num_images=3), spec)


def test_a_model_may_call_number_and_inlining_by_other_names() -> None:
    class Other(msgspec.Struct, frozen=True, kw_only=True):
        text: str
        amount: int = 1
        embedded: bool = False

    spec = spec_of(input=Other, count="amount", inline="embedded")

    assert print_of(Other(text="a"), spec) == print_of(
        Other(text="a", amount=2, embedded=True), spec
    )
    assert print_of(Other(text="a"), spec) != print_of(Other(text="b"), spec)


def test_raising_the_version_leaves_every_old_pool_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    before = print_of(Input(prompt="a cat"))
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)

    assert print_of(Input(prompt="a cat")) != before


def test_it_is_the_same_in_every_process_and_release() -> None:
    """A change of this value without a new `VERSION` would orphan every pool unnoticed."""
    expected = "ef437f64e0d836a8aa07339d9fef50687483f989ade1e18c70692fd8b9af10c6"

    assert print_of(Input(prompt="a cat")) == expected
