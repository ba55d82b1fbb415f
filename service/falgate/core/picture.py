"""A picture and a pool of them: what is known, how it is named, how it looks in an answer."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
"""The media types that are stored and served; anything else is not a picture here."""

_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}
_FOREIGN = {
    "url": re.compile(r"https?://[\w\-.~:/?#\[\]@!$&()*+,;=%]{1,2000}", re.ASCII),
    "content_type": re.compile(r"image/[a-z0-9.+-]{1,40}"),
    "file_name": re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"),
}
"""What may stand in a file of fal's that is handed on; else the field is left out."""
_FOREIGN_NUMBERS, _NUMBER_MAX = ("file_size", "width", "height"), 2**31
_NAME = re.compile(r"([0-9a-f]{64})\.(png|jpeg|webp)")


class NotAPicture(Exception):
    """Bytes that are no whole PNG, JPEG or WebP picture; the message says why."""


class Kept(msgspec.Struct, frozen=True):
    """Bytes that were found to be a picture and stored.

    Attributes:
        sha256: Hex digest.
        content_type: One of `EXTENSIONS`.
        size_bytes: Length.
        width: Pixels.
        height: Pixels.
        opaque: Whether it is known to have no transparent pixel.
    """

    sha256: str
    content_type: str
    size_bytes: int
    width: int
    height: int
    opaque: bool = False

    @property
    def name(self) -> str:
        """Its file name, also the last part of its URL."""
        return f"{self.sha256}.{EXTENSIONS[self.content_type]}"


class Picture(Kept, frozen=True, kw_only=True):
    """One stored picture of a pool. Times are Redis's, in whole seconds since 1970.

    Attributes:
        made_s: When it was banked; of a derived one, when its master was.
        until_s: From when on it is not handed out any more; 0: never.
        master: Name of the picture that it was made from here; "" where fal made it.
        job: Id of the purchase that brought it; "" where that is not known.
    """

    made_s: int
    until_s: int = 0
    master: str = ""
    job: str = ""

    def fresh(self, now_s: int) -> bool:
        """Whether it may be handed out still."""
        return not self.until_s or now_s < self.until_s


class Pool(msgspec.Struct, frozen=True):
    """The pictures kept for one fingerprint, in the order in which they were bought.

    Attributes:
        generation: Raised by whatever takes pictures away or replaces them; 0 when there is none.
        pictures: May be empty, and have some that are too old to be handed out.
        read_s: When it was read, Redis time in whole seconds since 1970.
    """

    generation: int = 0
    pictures: tuple[Picture, ...] = ()
    read_s: int = 0


def media_type_of(name: str) -> str | None:
    """The media type of a picture's file name, or None where it is not such a name at all."""
    found = _NAME.fullmatch(name)
    return _TYPES[found[2]] if found else None


def as_file(picture: Picture, url: str) -> dict[str, Any]:
    """The picture as fal's ImageFile object."""
    return {
        "url": url,
        "content_type": picture.content_type,
        "file_name": picture.name,
        "file_size": picture.size_bytes,
        "width": picture.width,
        "height": picture.height,
    }


def foreign_file(file: Mapping[str, Any]) -> dict[str, Any] | None:
    """fal's own ImageFile object as it may be handed on; None where its URL is none that may be.

    What stands in it is fal's, or of whoever answered in its place: only fields that are known, of
    the right type and of bounded length.
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
