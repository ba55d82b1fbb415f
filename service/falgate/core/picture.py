"""Pictures and pools: their metadata, file names, and form in responses."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
"""The media types that are stored and served, with their file extensions."""

_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}
_FOREIGN = {
    "url": re.compile(r"https?://[\w\-.~:/?#\[\]@!$&()*+,;=%]{1,2000}", re.ASCII),
    "content_type": re.compile(r"image/[a-z0-9.+-]{1,40}"),
    "file_name": re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"),
}
"""Valid values of the text fields in fal's own file objects; a field that differs is dropped."""
_FOREIGN_NUMBERS, _NUMBER_MAX = ("file_size", "width", "height"), 2**31
_NAME = re.compile(r"([0-9a-f]{64})\.(png|jpeg|webp)")


class NotAPicture(Exception):
    """The bytes are not a complete PNG, JPEG or WebP picture; the message says why."""


class PictureTooLarge(NotAPicture):
    """The picture has more pixels than allowed, or too long a side."""


class NotOurFormat(NotAPicture):
    """The bytes do not begin like a PNG, JPEG or WebP."""


class Kept(msgspec.Struct, frozen=True):
    """A picture that was verified and stored.

    Attributes:
        sha256: Hex digest of its bytes.
        content_type: One of `EXTENSIONS`.
        size_bytes: Length.
        width: Pixels.
        height: Pixels.
        opaque: Whether it is known to have no transparent pixels.
    """

    sha256: str
    content_type: str
    size_bytes: int
    width: int
    height: int
    opaque: bool = False

    @property
    def name(self) -> str:
        """File name, also the last segment of the picture's URL."""
        return f"{self.sha256}.{EXTENSIONS[self.content_type]}"


class Picture(Kept, frozen=True, kw_only=True):
    """A stored picture in a pool. Times are Redis's, in whole seconds since 1970.

    Attributes:
        made_s: When it was stored; for a converted picture, when its master was.
        until_s: When it expires and is no longer served; 0 means never.
        master: Name of the picture that it was converted from; "" if fal made it.
        job: Id of the purchase that bought it; "" if unknown.
        scalars: What the result that it came with says beside its files, a JSON object; as bytes,
            because the scripts that change pools count braces.
        parallels: What the result says of this picture alone, likewise.
    """

    made_s: int
    until_s: int = 0
    master: str = ""
    job: str = ""
    scalars: bytes = b""
    parallels: bytes = b""

    def fresh(self, now_s: int) -> bool:
        """Return whether it has not yet expired."""
        return not self.until_s or now_s < self.until_s


# A generation is Redis's time, in milliseconds, at which it began. So a pool that was evicted and
# bought again has a higher generation than before, although nothing of the old one is remembered.
# Appending keeps the generation, unless expired pictures are dropped with it. So generation and
# count together tell whether a reader's view of the pool is current; it must not buy if it is not.


class Pool(msgspec.Struct, frozen=True):
    """The pictures kept for one fingerprint, in the order in which they were bought.

    Attributes:
        generation: Raised whenever pictures are removed or replaced; 0 if there is no pool.
        pictures: May be empty, and may include expired pictures.
        read_s: When it was read, Redis time in whole seconds since 1970.
    """

    generation: int = 0
    pictures: tuple[Picture, ...] = ()
    read_s: int = 0


def media_type_of(name: str) -> str | None:
    """Return the media type for a picture's file name, or None if it is not such a name."""
    found = _NAME.fullmatch(name)
    return _TYPES[found[2]] if found else None


def as_file(picture: Picture, url: str) -> dict[str, Any]:
    """Return the picture as fal's ImageFile object."""
    return {
        "url": url,
        "content_type": picture.content_type,
        "file_name": picture.name,
        "file_size": picture.size_bytes,
        "width": picture.width,
        "height": picture.height,
    }


def foreign_file(file: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the parts of fal's own ImageFile object that are safe to pass on.

    The object may come from whoever answered in fal's place, so only known fields with the right
    type and a bounded length are kept. None if its URL is not acceptable.
    """
    found: dict[str, Any] = {}
    for name, form in _FOREIGN.items():
        value = file.get(name)
        if isinstance(value, str) and form.fullmatch(value):
            found[name] = value
    for name in _FOREIGN_NUMBERS:
        number = file.get(name)
        if type(number) is int and 0 <= number < _NUMBER_MAX:
            found[name] = number
    return found if "url" in found else None
