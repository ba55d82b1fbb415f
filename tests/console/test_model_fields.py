"""A form says what it was filled in with, for arguments of every kind that a schema can have."""

from typing import Any

import msgspec
import pytest

from falgate.admin.model_form import FormField, Kind
from falgate.console.forms import Form, Upload
from falgate.console.model_fields import CUSTOM, arguments, placed, shown


def model(*fields: FormField, inline: str = "") -> Any:
    """The form of a model, as the admin API answers it."""
    return {"fields": msgspec.to_builtins(fields), "inline": inline}


def field(kind: Kind, **more: Any) -> FormField:
    given = {"title": "It", "description": "", "required": False, **more}
    return FormField(name="it", kind=kind, **given)


WIDTH = FormField(name="w", title="W", description="", kind="whole", required=True)


@pytest.mark.parametrize(
    ("asked", "entered", "given"),
    [
        (field("text"), "  two  ", "  two  "),
        (field("text"), "", None),
        (field("text", default="x"), "", ""),
        (field("choice", values=(1, 2, "auto")), "2", 2),
        (field("choice", values=(1, 2, "auto")), "auto", "auto"),
        (field("choice", values=("a",)), "none of them", "none of them"),
        (field("whole"), "12", 12),
        (field("whole"), "-3", -3),
        (field("whole"), "many", "many"),
        (field("whole"), "9" * 30, "9" * 30),
        (field("number"), "3.5", 3.5),
        (field("number"), "nan", "nan"),
        (field("list"), '["a", 1]', ["a", 1]),
        (field("any"), '{"a": null}', {"a": None}),
        (field("any"), "{not json", "{not json"),
        (field("any"), "[" * 100_000, "[" * 100_000),
        (field("pictures", one_picture=True), "https://a.test/b.png", "https://a.test/b.png"),
        (field("pictures"), "https://a.test/b.png\nhttps://a.test/c.png", 2),
        (field("text", fixed=True), "x", None),
    ],
    ids=lambda each: getattr(each, "kind", None) or str(each)[:20],
)
def test_a_value_is_what_was_entered(asked: FormField, entered: str, given: Any) -> None:
    found = arguments(model(asked), Form([("a.it", entered)])).get("it")

    assert (len(found) if isinstance(found, list) and isinstance(given, int) else found) == given


def test_a_switch_that_is_off_is_given_where_it_would_be_on() -> None:
    assert arguments(model(field("switch", default=True)), Form(())) == {"it": False}
    assert arguments(model(field("switch")), Form(())) == {}
    assert arguments(model(field("switch")), Form([("a.it", "yes")])) == {"it": True}
    assert arguments(model(field("switch", default=True)), Form(()), same=False) == {}


def test_an_object_has_what_its_fields_say() -> None:
    size = field("choice", values=("auto",), default="auto", custom=(WIDTH,))
    group = field("group", custom=(WIDTH,))
    entered = [("a.it", CUSTOM), ("a.it.w", "7")]

    assert arguments(model(size), Form(entered)) == {"it": {"w": 7}}
    assert arguments(model(size), Form([("a.it", "auto"), ("a.it.w", "7")])) == {"it": "auto"}
    assert arguments(model(group), Form([("a.it.w", "7")])) == {"it": {"w": 7}}
    assert arguments(model(group), Form(())) == {}


def test_files_become_data_uris_of_harmless_types() -> None:
    files = [("a.it", Upload("image/png", b"abc")), ("a.it", Upload('image/"><b>', b"abc"))]

    found = arguments(model(field("pictures")), Form([*files, ("a.it", Upload("image/png", b""))]))

    assert found["it"] == [
        "data:image/png;base64,YWJj",
        "data:application/octet-stream;base64,YWJj",
    ]
    assert "abc" not in repr(files)


def test_what_is_wrong_is_at_its_field() -> None:
    size = model(field("choice", values=("auto",), custom=(WIDTH,)))
    errors = [
        {"loc": ["body", "it", "w"], "msg": "too wide"},
        {"loc": ["body", "it", "Size", "x"], "msg": "odd"},
        {"loc": ["body"], "msg": "all of it"},
    ]

    (found,) = shown(size, Form([("a.it", CUSTOM)]), same=True, errors=errors)

    assert found.errors == ["odd"]
    assert found.custom[0].errors == ["too wide"]
    assert placed(size, errors) == [("a.it", "too wide"), ("a.it", "odd"), ("", "all of it")]


def test_what_only_asks_for_data_uris_is_left_out() -> None:
    assert shown(model(field("switch"), inline="it"), Form(()), same=False) == []
