"""Conversion of a PNG to JPEG or WebP; only a worker process has to load it."""

import io

from PIL import Image

from falgate.core.picture import NotAPicture
from falgate.pictures.convert import PIXELS_MAX

_FORMATS = {"image/jpeg": "JPEG", "image/webp": "WEBP"}


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


def is_opaque(image: Image.Image) -> bool:
    """Return whether a decoded picture has no transparent pixel, by its alpha values."""
    if not image.has_transparency_data:
        return True
    least, _ = image.convert("RGBA").getchannel("A").getextrema()
    return least == 255  # noqa: PLR2004 - full opacity
