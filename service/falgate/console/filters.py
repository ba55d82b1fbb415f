"""The filter of a list: its fields, what of it is set, and what of it the admin API is asked."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from falgate.console.fields import Field
from falgate.console.page import Page

CURSOR = "cursor"
_LONG = 300
"""More than the admin API takes anywhere."""


class Filters:
    """The fields of a list by which it is narrowed, with what a page's query says.

    Attributes:
        fields: The fields, with their values.
        wanted: What is set, by name.
    """

    def __init__(self, page: Page, fields: Sequence[Field]) -> None:
        """Read the query of a page; a lead is not asked for a team, and refused another one."""
        read = [
            replace(each, value=page.query.get(each.name, "").strip()[:_LONG]) for each in fields
        ]
        self.wanted: Mapping[str, str] = {each.name: each.value for each in read if each.value}
        lead = page.operator.role == "lead"
        self.fields = [each for each in read if not (lead and each.name == "team")]

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Name, label and words of each that is set."""
        return [
            (each.name, each.label, dict(each.options).get(each.value, each.value))
            for each in self.fields
            if each.value
        ]


def either(name: str, label: str, words: Mapping[str, str]) -> Field:
    """Return a field with a choice of these values, or of none of them."""
    return Field(name=name, label=label, kind="choice", options=[("", "any"), *words.items()])


def whose() -> list[Field]:
    """Return the fields of who asked."""
    return [
        Field(name="team", label="Team"),
        Field(name="app", label="App, or team/app"),
        Field(name="key", label="Key, its id"),
        Field(name="model", label="Model"),
    ]


def days() -> list[Field]:
    """Return the fields of a period, in days of the organisation's zone."""
    return [
        Field(name="from", label="From", kind="date"),
        Field(name="to", label="To, inclusive", kind="date"),
    ]
