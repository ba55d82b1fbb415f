"""Looks at the bytes of a delivery: is it one whole picture, of which type and size?"""

import io
from collections.abc import Callable
from typing import NoReturn

import msgspec
from PIL import Image

from falgate.core.picture import NotAPicture
from falgate.pictures.convert import is_opaque

SIDE_PX_MAX = 8192

# Nothing may follow the picture: what a browser or an archiver reads as something else hides there.
_ENDS: dict[str, Callable[[bytes], bool]] = {
    "PNG": lambda data: data.endswith(b"\0\0\0\0IEND\xaeB`\x82"),
    "JPEG": lambda data: data.endswith(b"\xff\xd9"),
    "WEBP": lambda data: int.from_bytes(data[4:8], "little") + 8 == len(data),
}
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


class Examined(msgspec.Struct, frozen=True):
    """What a picture turned out to be.

    Attributes:
        content_type: From its bytes, whatever was claimed.
        width: Pixels.
        height: Pixels.
        opaque: Whether it has no transparent pixel.
    """

    content_type: str
    width: int
    height: int
    opaque: bool = False


def examine(data: bytes) -> Examined:
    """Decode a picture to its last pixel. Takes a CPU's time: call it in a thread.

    A hole inside a JPEG is not seen: the format has no checksum, and its decoder paints over it.

    Raises:
        NotAPicture: It is none, has more than one frame, is too large or is not whole.
    """
    try:
        found = _header(data)
        # Checksums, which decoding passes over. A picture that was verified cannot be decoded.
        with _open(data) as image:
            image.verify()
        with _open(data) as image:
            image.load()
            return msgspec.structs.replace(found, opaque=is_opaque(image))
    except NotAPicture:
        raise
    except Exception as error:  # noqa: BLE001 - decoders fail on hostile bytes as they please
        _refuse(f"it cannot be decoded ({type(error).__name__})", error)


def _header(data: bytes) -> Examined:
    """Refuse what can be refused before anything is decoded."""
    with _open(data) as image:
        # A JPEG with several pictures in it opens as MPO, which is none of the three.
        if image.format not in _TYPES:
            _refuse(f"it is {image.format}")
        if max(image.size) > SIDE_PX_MAX:
            _refuse(f"it is larger than {SIDE_PX_MAX} pixels a side")
        if getattr(image, "is_animated", False):
            _refuse("it is animated")
        if not _ENDS[image.format](data):
            _refuse("it is cut off, or something follows it")
        return Examined(_TYPES[image.format], image.width, image.height)


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=list(_TYPES))


def _refuse(why: str, cause: Exception | None = None) -> NoReturn:
    raise NotAPicture(f"This is not a picture that can be kept: {why}") from cause
