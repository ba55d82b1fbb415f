"""Looks at the bytes of a delivery: is it one whole picture, of which type and size?"""

import io
from typing import NoReturn

import msgspec
from PIL import Image

from falgate.core.picture import NotAPicture
from falgate.pictures.convert import PIXELS_MAX, SIDE_PX_MAX, is_opaque
from falgate.pictures.extent import cut

_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


class Examined(msgspec.Struct, frozen=True):
    """What a picture turned out to be.

    Attributes:
        content_type: From its bytes, whatever was claimed.
        width: Pixels.
        height: Pixels.
        size_bytes: Of the picture, without what may follow it.
        opaque: Whether it has no transparent pixel.
    """

    content_type: str
    width: int
    height: int
    size_bytes: int
    opaque: bool = False


def examine(data: bytes, pixels_max: int = PIXELS_MAX) -> Examined:
    """Decode a picture to its last pixel. Takes a CPU's time: call it in a thread.

    One of more pixels than are wanted is refused by what its head says: a file of a few kilobytes
    can be one of hundreds of megabytes once it is decoded. A hole inside a JPEG is not seen: the
    format has no checksum, and its decoder paints over it.

    Raises:
        NotAPicture: It is none, has more than one frame, is too large or is not whole.
    """
    try:
        data = cut(data)
        found = _header(data, pixels_max)
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


def _header(data: bytes, pixels_max: int) -> Examined:
    """Refuse what can be refused before anything is decoded."""
    with _open(data) as image:
        # A JPEG with several pictures in it opens as MPO, which is none of the three.
        if image.format not in _TYPES:
            _refuse(f"it is {image.format}")
        if max(image.size) > SIDE_PX_MAX:
            _refuse(f"it is larger than {SIDE_PX_MAX} pixels a side")
        if image.width * image.height > pixels_max:
            _refuse(f"it has {image.width}x{image.height} pixels, and {pixels_max} at most are due")
        if getattr(image, "is_animated", False):
            _refuse("it is animated")
        return Examined(_TYPES[image.format], image.width, image.height, len(data))


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=list(_TYPES))


def _refuse(why: str, cause: Exception | None = None) -> NoReturn:
    raise NotAPicture(f"This is not a picture that can be kept: {why}") from cause
