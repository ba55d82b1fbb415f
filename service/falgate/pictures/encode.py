"""Conversion of a PNG to JPEG or WebP, and thumbnails; only a worker process has to load it."""

import io

from PIL import Image

from falgate.core.picture import NotAPicture
from falgate.pictures.convert import PIXELS_MAX

_FORMATS = {"image/jpeg": "JPEG", "image/webp": "WEBP"}
_THUMBNAIL_QUALITY = 80
_PROFILE_MAX = 4096
"""A larger colour profile would be most of a thumbnail; it is then shown as sRGB. In bytes."""


def convert(data: bytes, content_type: str, quality: int, pixels_max: int = PIXELS_MAX) -> bytes:
    """Convert a picture to another file type, with the same size and transparency.

    Args:
        data: A complete picture.
        content_type: "image/jpeg" or "image/webp".
        quality: 1 to 100, as both formats define it. Colours are not subsampled.
        pixels_max: Maximum number of pixels, checked by the header.

    Raises:
        NotAPicture: It has more pixels, cannot be decoded, or is transparent and the target is
            JPEG.
    """
    options: dict[str, object] = {"quality": quality}
    if content_type == "image/jpeg":
        options |= {"subsampling": "4:4:4", "optimize": True}
    else:
        options |= {"method": 4, "alpha_quality": 100}
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > pixels_max:
            raise NotAPicture("It has more pixels than when it was stored")
        if profile := image.info.get("icc_profile"):
            options["icc_profile"] = profile
        clear = not is_opaque(image)
        if clear and content_type == "image/jpeg":
            raise NotAPicture("A transparent picture cannot become a JPEG")
        out = io.BytesIO()
        image.convert("RGBA" if clear else "RGB").save(out, _FORMATS[content_type], **options)
    return out.getvalue()


def thumbnail(data: bytes, side_px: int, pixels_max: int = PIXELS_MAX) -> bytes:
    """Return a picture as WebP, at most `side_px` pixels wide and high, with its transparency.

    Args:
        data: A complete picture.
        side_px: A smaller picture is not enlarged.
        pixels_max: Maximum number of pixels of the picture, checked by the header.

    Raises:
        NotAPicture: It has more pixels or cannot be decoded.
    """
    try:
        return _thumbnail(data, side_px, pixels_max)
    except NotAPicture:
        raise
    except Exception as error:
        # Decoders raise anything on hostile bytes.
        raise NotAPicture(f"It cannot be decoded ({type(error).__name__})") from error


def _thumbnail(data: bytes, side_px: int, pixels_max: int) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=["PNG", *_FORMATS.values()]) as image:
        if image.width * image.height > pixels_max:
            raise NotAPicture("It has too many pixels")
        # A JPEG is decoded at about the size that is needed.
        image.draft("RGB", (2 * side_px, 2 * side_px))
        small = image.convert("RGBA" if image.has_transparency_data else "RGB")
        small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        profile = image.info.get("icc_profile", b"")
    if len(profile) > _PROFILE_MAX:
        profile = b""
    small.save(out, "WEBP", quality=_THUMBNAIL_QUALITY, method=4, icc_profile=profile)
    return out.getvalue()


def is_opaque(image: Image.Image) -> bool:
    """Return whether a decoded picture has no transparent pixel, by its alpha values."""
    if not image.has_transparency_data:
        return True
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    return least == 255  # noqa: PLR2004 - full opacity
