"""Arguments that are input pictures: what a model declares of them, and reading and replacing them.

A caller names input pictures by URL. falgate reads them and replaces each by the string form of an
`InputPicture` before anything is keyed, priced or stored.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from falgate.core.file_errors import file_error
from falgate.core.input_picture import InputPicture, input_picture
from falgate.core.picture import EXTENSIONS

BYTES_MAX = 50_000_000
"""OpenAI's, https://developers.openai.com/api/docs/guides/image-generation."""
PIXELS_MAX = 50_000_000
"""Enough for a phone's photograph; decoding it takes a fifth of a gigabyte."""


class InputFiles(msgspec.Struct, frozen=True, kw_only=True):
    """An argument that names input pictures.

    Attributes:
        argument: Its name.
        many: Whether it is a list of them.
        least: How many there must be; 0 if it may be left out.
        most: How many there may be.
        bytes_max: Size of each.
        pixels_max: Pixels of each.
        types: Media types that the model reads, by the bytes.
        masks: The argument whose first picture it is the mask of, and must be as large as; "" if
            it is no mask.
    """

    argument: str
    many: bool = False
    least: int = 1
    most: int = 1
    bytes_max: int = BYTES_MAX
    pixels_max: int = PIXELS_MAX
    types: tuple[str, ...] = tuple(EXTENSIONS)
    masks: str = ""

    def values(self, arguments: Any) -> tuple[str, ...]:
        """Return what arguments have here: URLs, or the string forms after these were read."""
        value = getattr(arguments, self.argument)
        if isinstance(value, str):
            return (value,)
        return tuple(value) if isinstance(value, Sequence) else ()

    def check_number(self, arguments: Any) -> None:
        """Check how many there are.

        Raises:
            InputRejected: Too few or too many.
        """
        number, loc = len(self.values(arguments)), ["body", self.argument]
        if number < self.least:
            why = f"Sequence should have at least {self.least} items"
            raise file_error("sequence_too_short", loc, why, min_length=self.least)
        if number > self.most:
            why = f"Sequence should have at most {self.most} items"
            raise file_error("sequence_too_long", loc, why, max_length=self.most)

    def value_of(self, values: Sequence[str]) -> list[str] | str:
        """Return what an argument is that has these values."""
        return list(values) if self.many else values[0]

    def loc(self, index: int) -> list[str | int]:
        """Return where in a body its value of an index is, as fal's errors say it."""
        return ["body", self.argument, *([index] if self.many else [])]


def pictures_of(inputs: Sequence[InputFiles], arguments: Any) -> tuple[InputPicture, ...]:
    """Return the input pictures of arguments that were read, in the order of the declaration.

    A megapixel or a file is priced by them.
    """
    return tuple(
        picture
        for each in inputs
        for value in each.values(arguments)
        if (picture := input_picture(value))
    )


def replaced(inputs: Sequence[InputFiles], arguments: Any, by: Mapping[InputPicture, str]) -> Any:
    """Return arguments that were read with each input picture replaced, by its URL for example."""
    changed: dict[str, Any] = {}
    for each in inputs:
        pictures = pictures_of([each], arguments)
        if pictures:
            changed[each.argument] = each.value_of([by[picture] for picture in pictures])
    return msgspec.structs.replace(arguments, **changed)
