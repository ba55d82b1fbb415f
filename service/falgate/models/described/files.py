"""Arguments of a described model that are input pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from falgate.core.picture import EXTENSIONS
from falgate.models.described.declaration import File
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.hints import present
from falgate.models.input_files import InputFiles

_LIST = "[*]"


def argument(path: str) -> str:
    """Return the argument that a path such as "image_urls[*]" is about."""
    return path.removesuffix(_LIST)


def inputs_of(files: Sequence[File], hints: Mapping[str, Any]) -> tuple[InputFiles, ...]:
    """Return which arguments are input pictures.

    Raises:
        DescriptionWrong: An argument is none in fal's document, or of another type.
    """
    found = []
    for index, file in enumerate(files):
        where, name = f"files[{index}]", argument(file.path)
        many = file.path.endswith(_LIST)
        if not _holds(hints.get(name), many=many):
            kind = "list of texts" if many else "text"
            raise DescriptionWrong(f"{where}.path", f"fal's document has no {kind} {name!r}")
        if file.min > file.max or (file.max > 1 and not many):
            raise DescriptionWrong(f"{where}.max", "it does not go with min and path")
        if file.masks and file.masks not in [each.path for each in files if each is not file]:
            raise DescriptionWrong(f"{where}.masks", "it is the path of no other file")
        found.append(
            InputFiles(
                argument=name,
                many=many,
                least=file.min,
                most=file.max,
                bytes_max=file.bytes_max,
                types=tuple(file.types) or tuple(EXTENSIONS),
                masks=argument(file.masks),
            )
        )
    return tuple(found)


def _holds(hint: Any, *, many: bool) -> bool:
    """Return whether values of a type are texts, or lists of them."""
    kinds = present(hint)
    if many and len(kinds) == 1 and get_origin(kinds[0]) is list:
        kinds = present(get_args(kinds[0])[0])
    elif many:
        return False
    return kinds == [str]
