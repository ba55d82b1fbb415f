"""Sizes of a described model's pictures: which may be asked for, and which are to be expected."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from falgate.core.picture import EXTENSIONS
from falgate.models.described.declaration import Size
from falgate.models.described.terms import size_of
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.sizes import Grid, ImageSize, size_named
from falgate.models.spec import Expected

_SIDES_MAX = 300

_MEDIA = {"jpg": "image/jpeg", **{name: media for media, name in EXTENSIONS.items()}}
"""Media types by the words that fal's schemas have for them."""


def grid_of(size: Size) -> Grid:
    """Return the rules for sizes that callers choose; raises `DescriptionWrong`."""
    least, most = size.pixels
    if least > most:
        raise DescriptionWrong("size.pixels", "the fewest pixels are more than the most")
    return Grid(
        multiple_of=size.multiple_of,
        edge_min=size.edge_min,
        edge_max=size.edge_max,
        ratio_max=size.ratio_max or size.edge_max,
        pixels_min=least,
        pixels_max=most,
    )


def legal(size: Size) -> Iterator[ImageSize]:
    """Yield the sizes that callers may choose, one of each two that are turned.

    Raises:
        DescriptionWrong: There are too many of them to look at.
    """
    sides = range(size.multiple_of, size.edge_max + 1, size.multiple_of)
    if len(sides) > _SIDES_MAX:
        raise DescriptionWrong("size", f"more than {_SIDES_MAX} sides: raise multiple_of")
    grid = grid_of(size)
    for width in sides:
        for height in sides[: width // size.multiple_of]:
            found = ImageSize(width=width, height=height)
            if grid.wrong(found) is None:
                yield found


def presets_of(
    size: Size, names: Sequence[str], struct: type[ImageSize] | None
) -> dict[str, ImageSize]:
    """Return what the names of sizes stand for.

    Args:
        size: The declaration.
        names: All names that the document has.
        struct: The type of sizes that callers choose; None if there is none.

    Raises:
        DescriptionWrong: A name is not declared, or not in the document, or cannot be folded.
    """
    declared = [*size.fold, *size.unknown]
    if strange := [name for name in declared if name not in names]:
        raise DescriptionWrong("size", f"{strange[0]!r} is no size in fal's document")
    missing = [name for name in names if name not in declared and not size_named(name)]
    if missing:
        raise DescriptionWrong(
            "size", f"{', '.join(missing)}: say in fold how large it is, or list it in unknown"
        )
    if size.fold and struct is None:
        raise DescriptionWrong("size.fold", "the model takes no width and height; use unknown")
    return {
        name: struct(width=width, height=height)
        for name, (width, height) in size.fold.items()
        if struct is not None
    }


def expecting(
    argument: str, media_type: Callable[[Any], str], pixels_max: int
) -> Callable[[Any], Expected]:
    """Return what tells the pictures to expect.

    Args:
        argument: Name of the size; "" if the model has none.
        media_type: Maps arguments to the media type; to "" if the model chooses it.
        pixels_max: The most that a picture of the model has.
    """

    def expected(arguments: Any) -> Expected:
        size = size_of(arguments, argument)
        width, height = (size.width, size.height) if size else (0, 0)
        return Expected(media_type(arguments), width, height, pixels=pixels_max)

    return expected


def media_types(argument: str, values: Sequence[str]) -> Callable[[Any], str]:
    """Return what tells the media type of pictures by the argument for the format.

    Raises:
        DescriptionWrong: The document has a format that falgate does not store.
    """
    if not argument:
        return lambda _: ""
    if strange := [value for value in values if value not in _MEDIA] or not values:
        raise DescriptionWrong("fields.format", f"{strange} is no format that falgate can store")
    table: Mapping[str, str] = {value: _MEDIA[value] for value in values}
    return lambda arguments: table.get(getattr(arguments, argument), "")
