"""What a form of a page sent, and the files with it: bounded, and read field by field."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from falgate.core.problems import Invalid

FIELDS_MAX = 500
_LINES = ("\r\n", "\n")


class Upload(NamedTuple):
    """A file that came with a form. The edge bounds the length of all of them together.

    Attributes:
        media_type: As the browser calls it.
        data: Its bytes.
    """

    media_type: str
    data: bytes

    def __repr__(self) -> str:
        """Omit the bytes."""
        return f"Upload({self.media_type})"


class Form:
    """The fields of a form, each a text or several, or files."""

    def __init__(self, fields: Iterable[tuple[str, Any]]) -> None:
        """Take pairs of names and values.

        Raises:
            Invalid: There are more than `FIELDS_MAX`, or one is neither a text nor an `Upload`.
        """
        self._fields: dict[str, list[str]] = {}
        self._files: dict[str, list[Upload]] = {}
        for number, (name, value) in enumerate(fields):
            if number >= FIELDS_MAX or not isinstance(value, str | Upload):
                raise Invalid(f"A form has at most {FIELDS_MAX} fields, all of them texts")
            if isinstance(value, Upload):
                self._files.setdefault(name, []).append(value)
            else:
                self._fields.setdefault(name, []).append(value.replace(*_LINES))

    def text(self, name: str) -> str:
        """Return a field without surrounding blanks, "" if it is not there."""
        return self._fields.get(name, [""])[0].strip()

    def raw(self, name: str) -> str:
        """Return a field as it was typed, such as a prompt."""
        return self._fields.get(name, [""])[0]

    def ticked(self, name: str) -> bool:
        """Return whether a box was ticked."""
        return name in self._fields

    def whole(self, name: str, label: str) -> int | None:
        """Return a field's whole number; None if it is empty.

        Raises:
            Invalid: It is something else.
        """
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 15):  # noqa: PLR2004 - no id
            raise Invalid(f"{label}: give a whole number, or leave it empty")
        return int(text)

    def files(self, name: str) -> list[Upload]:
        """Return the files of a field that are not empty."""
        return [each for each in self._files.get(name, []) if each.data]

    def lines(self, name: str) -> list[str]:
        """Return the words of a field, which are separated by commas, blanks or lines."""
        return self.text(name).replace(",", " ").split()

    def pairs(self) -> list[tuple[str, str]]:
        """Return all fields, to send them once more; not those that a page adds itself."""
        return [
            (name, value)
            for name, values in self._fields.items()
            if name not in OWN
            for value in values
        ]

    def values(self) -> Mapping[str, str]:
        """Return the first value of each field, to show the form once more."""
        return {name: values[0] for name, values in self._fields.items()}


OWN = frozenset({"csrf", "form_id", "step", "seen"})
"""Fields that pages add to their forms: the session's secret, the form's id, what was shown."""
