"""Picture inspection: whether bytes are one complete picture, and its type and size."""

import io
from typing import NoReturn

import msgspec
from PIL import Image

from falgate.core.picture import NotAPicture, PictureTooLarge
from falgate.pictures.convert import PIXELS_MAX, SIDE_PX_MAX
from falgate.pictures.encode import is_opaque
from falgate.pictures.extent import cut

_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_WITH_OTHERS = "MPO"
"""What Pillow calls a JPEG that says that others follow it, as photographs of phones do. They were
cut off with all that follows the picture."""

_PREFIX = "This is not a picture that can be stored: "


class Examined(msgspec.Struct, frozen=True):
    """Properties of a picture, from its bytes.

    Attributes:
        content_type: From the bytes, whatever type was claimed.
        width: Pixels.
        height: Pixels.
        size_bytes: Length of the picture, without any bytes after its end.
        opaque: Whether it has no transparent pixel.
    """

    content_type: str
    width: int
    height: int
    size_bytes: int
    opaque: bool = False


def examine(data: bytes, pixels_max: int = PIXELS_MAX) -> Examined:
    """Check that a picture is complete. CPU-bound: call it in a thread.

    A PNG without transparency is checked by the checksums of its chunks (PNG specification, section
    5.3), every other picture is decoded as well: a WebP or a JPEG has no checksums, and of a PNG
    with transparency only its pixels tell whether it is used. Decoding 1.5 MB takes 20 ms, as much
    as the rest of a purchase several times over.

    A picture with more than `pixels_max` pixels is rejected by its header: a file of a few
    kilobytes can decode to hundreds of megabytes. Missing data inside a JPEG goes unnoticed: the
    format has no checksum, and the decoder fills the gap.

    Raises:
        NotAPicture: Not a supported picture, animated, too large or incomplete.
    """
    try:
        data = cut(data)
        found = _header(data, pixels_max)
        # `verify` checks the checksums, which decoding ignores. It leaves the image unusable, so
        # the data is opened again to decode it.
        with _open(data) as image:
            image.verify()
            plain = image.mode == "RGB" and "transparency" not in image.info
            if plain and image.format == "PNG":
                return msgspec.structs.replace(found, opaque=True)
        with _open(data) as image:
            image.load()
            return msgspec.structs.replace(found, opaque=is_opaque(image))
    except NotAPicture:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile bytes
        _refuse(f"it cannot be decoded ({type(error).__name__})", error)


def _header(data: bytes, pixels_max: int) -> Examined:
    """Reject what can be rejected before anything is decoded."""
    with _open(data) as image:
        if max(image.size) > SIDE_PX_MAX:
            raise PictureTooLarge(f"{_PREFIX}a side is longer than {SIDE_PX_MAX} pixels")
        if image.width * image.height > pixels_max:
            raise PictureTooLarge(
                f"{_PREFIX}it has {image.width}x{image.height} pixels; the maximum is {pixels_max}"
            )
        if image.format == _WITH_OTHERS:
            return Examined("image/jpeg", image.width, image.height, len(data))
        if getattr(image, "is_animated", False):
            _refuse("it is animated")
        return Examined(_TYPES[image.format or ""], image.width, image.height, len(data))


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=list(_TYPES))


def _refuse(why: str, cause: Exception | None = None) -> NoReturn:
    raise NotAPicture(f"{_PREFIX}{why}") from cause
