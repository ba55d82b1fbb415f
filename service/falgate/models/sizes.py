"""Sizes of pictures: as a preset or as an object, and the rules that a model has for them."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

_NAMED = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)
_SIDE_PX_MAX = 14_142
"""fal's own limit for its type, below which each model has stricter ones."""


class ImageSize(msgspec.Struct, frozen=True, kw_only=True):
    """fal's ImageSize."""

    width: Annotated[
        int,
        Meta(
            title="Width",
            description="The width of the generated image.",
            gt=0,
            le=_SIDE_PX_MAX,
        ),
    ] = 512
    height: Annotated[
        int,
        Meta(
            title="Height",
            description="The height of the generated image.",
            gt=0,
            le=_SIDE_PX_MAX,
        ),
    ] = 512

    def __str__(self) -> str:
        """As in the ledger and in the permissions of keys: "1024x768"."""
        return f"{self.width}x{self.height}"


def size_named(text: str) -> ImageSize | None:
    """Return the size that a text such as "1024x768" names, or None."""
    found = _NAMED.fullmatch(text)
    return ImageSize(width=int(found[1]), height=int(found[2])) if found else None


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes that a model makes.

    Attributes:
        multiple_of: Of both sides, pixels.
        edge_min: Of the shorter side, pixels.
        edge_max: Of the longer side, pixels.
        ratio_max: Of the longer side to the shorter one.
        pixels_min: Of the picture.
        pixels_max: Likewise.
    """

    multiple_of: int
    edge_min: int = 1
    edge_max: int
    ratio_max: int
    pixels_min: int
    pixels_max: int

    def __str__(self) -> str:
        """Return the rules in words."""
        sides = f"multiples of {self.multiple_of}, sides {self.edge_min} to {self.edge_max}"
        ratio = f", ratio to {self.ratio_max}:1" if self.ratio_max < self.edge_max else ""
        return f"{sides}{ratio}, {self.pixels_min:,} to {self.pixels_max:,} pixels"

    def may_be(self, size: ImageSize) -> bool:
        """Return whether a picture may have come out like this.

        fal does not say how large the pictures of some presets are, which may lie below this grid.
        """
        longer, shorter = max(size.width, size.height), min(size.width, size.height)
        is_shaped = shorter > 0 and longer <= self.ratio_max * shorter
        return is_shaped and longer * shorter <= self.pixels_max

    def wrong(self, size: ImageSize) -> str | None:
        """Return what is wrong with a size, or None."""
        longer, shorter = max(size.width, size.height), min(size.width, size.height)
        if size.width % self.multiple_of or size.height % self.multiple_of:
            return f"both sides must be multiples of {self.multiple_of}"
        if shorter < self.edge_min:
            return f"no side may be shorter than {self.edge_min} pixels"
        if longer > self.edge_max:
            return f"no side may be longer than {self.edge_max} pixels"
        if longer > self.ratio_max * shorter:
            return f"the longer side may be at most {self.ratio_max} times the shorter one"
        if not self.pixels_min <= size.width * size.height <= self.pixels_max:
            return f"it must have {self.pixels_min:,} to {self.pixels_max:,} pixels"
        return None
