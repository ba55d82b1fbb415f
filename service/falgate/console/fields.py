"""The fields of a form: what a page asks for, from which one template makes all forms; pure."""

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
    """

    name: str
    label: str
    kind: FieldKind = "text"
    value: Any = ""
    hint: str = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that belong together.

    Attributes:
        legend: What they are about; "" for the first ones of a form.
        fields: Them.
        hint: More words above them.
        wide: Whether each has a line of its own.
    """

    legend: str = ""
    fields: Sequence[Field]
    hint: str = ""
    wide: bool = False


def filled(groups: Sequence[Group], form: Form) -> list[Group]:
    """Return the groups with what a form says, to ask once more after it was refused."""
    return [
        replace(group, fields=[replace(each, value=_said(each, form)) for each in group.fields])
        for group in groups
    ]


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
