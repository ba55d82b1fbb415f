"""The fields of a form: what a page asks for, from which one template makes all forms; pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from falgate.console.forms import Form

FieldKind = Literal["text", "number", "usd", "choice", "tick", "area", "date", "password"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a form asks for.

    Attributes:
        name: Its name in the form.
        label: What people read beside it.
        kind: How it is entered.
        value: What it shows at first; of a box, whether it is ticked.
        hint: More words below it.
        required: Whether it must be filled in.
        options: Values of a choice, each with its words; or suggestions for a text.
        invalid: Whether it is why the form was refused.
    """

    name: str
    label: str
    kind: FieldKind = "text"
    value: Any = ""
    hint: str = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()
    invalid: bool = False


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that belong together.

    Attributes:
        legend: What they are about; "" for the first ones of a form.
        fields: Them.
        hint: More words above them.
        wide: Whether each has a line of its own.
        pairs: Whether two share a line.
    """

    legend: str = ""
    fields: Sequence[Field]
    hint: str = ""
    wide: bool = False
    pairs: bool = False


def filled(groups: Sequence[Group], form: Form, refused: str = "") -> tuple[Sequence[Group], str]:
    """Return a form's groups as it was sent, to ask once more, and why it was refused.

    `refused` is the administration's word for it: where that names a field, as in "name: say who",
    the field is marked, and called what people read beside it.
    """
    wrong = _named(groups, refused) or _quoted(groups, form, refused)
    again = [
        replace(
            group,
            fields=[
                replace(each, value=_said(each, form), invalid=each is wrong)
                for each in group.fields
            ],
        )
        for group in groups
    ]
    if wrong is None:
        return again, refused
    why = _PLACE.sub("", refused)
    begins, colon, rest = why.partition(": ")
    is_name = colon and (" " not in begins or begins.lower() in _names(wrong))
    return again, f"{wrong.label}: {rest if is_name else why}"


_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
"""Where in a body a value is, as the reader of JSON says it."""


def _named(groups: Sequence[Group], refused: str) -> Field | None:
    """Return the field that a refusal begins with, or whose place in the body it tells."""
    found = _PLACE.search(refused)
    path = found["path"] if found else refused.partition(": ")[0]
    name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
    names = {path.lower(), name.lower(), name.removesuffix("_at").lower()}
    return next((each for each in _all(groups) if names & _names(each)), None)


def _names(field: Field) -> set[str]:
    label = field.label.lower()
    return {field.name, label, label.partition(",")[0]}


def _quoted(groups: Sequence[Group], form: Form, refused: str) -> Field | None:
    """Return the field whose value a refusal begins with."""
    found = re.match(r"'([^']+)' ", refused)
    return next((each for each in _all(groups) if found and form.text(each.name) == found[1]), None)


def _all(groups: Sequence[Group]) -> list[Field]:
    return [field for group in groups for field in group.fields]


def _said(field: Field, form: Form) -> Any:
    return form.ticked(field.name) if field.kind == "tick" else form.raw(field.name)


def limits(shown: Mapping[str, Any] | None, *, requests: bool = True) -> Group:
    """Return the fields of limits; `shown` has the present ones, as the admin API shows them."""
    now = shown or {}
    names = [
        ("requests_per_second", "Requests per second"),
        ("generations_per_minute", "Purchases per minute"),
        ("generations_at_once", "Purchases at once"),
    ]
    return Group(
        legend="Limits",
        hint="Empty: no limit.",
        fields=[
            Field(name=name, label=label, kind="number", value=now.get(name) or "")
            for name, label in names
            if requests or name != "requests_per_second"
        ],
    )


def limits_body(form: Form, group: Group) -> dict[str, int]:
    """Return the limits that a form says, as the admin API takes them.

    Raises:
        Invalid: One is no whole number.
    """
    return {each.name: form.whole(each.name, each.label) or 0 for each in group.fields}


def chosen(values: Sequence[str], words: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Return options whose words are their values, unless `words` has others."""
    return [(value, (words or {}).get(value, value)) for value in values]
