"""Draws placeholder pictures, each determined by its sheet, with the request written on it."""

import hashlib
from functools import lru_cache
from io import BytesIO

import msgspec
from PIL import Image, ImageDraw, ImageFont

_MESH = 5
_SQUARE = 4  # pixels
_LINES_MAX = 8
_THUMBNAIL_PX = 98
_INK = (255, 255, 255, 255)
_PANEL = (12, 14, 20, 255)
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
# Fast rather than small: placeholders are not kept.
_OPTIONS: dict[str, dict[str, int]] = {
    "PNG": {"compress_level": 1},
    "JPEG": {"quality": 85},
    "WEBP": {"quality": 80, "method": 0},
}


class Sheet(msgspec.Struct, frozen=True):
    """Everything that determines a picture's bytes.

    Attributes:
        seed: Determines the colours.
        content_type: Media type.
        width: Pixels.
        height: Pixels.
        transparent: Whether its corners are transparent.
        text: The prompt.
        caption: The other arguments, and the picture's number.
        thumbnails: Small pictures of the inputs, as files.
    """

    seed: str
    content_type: str
    width: int
    height: int
    transparent: bool
    text: str
    caption: str
    thumbnails: tuple[bytes, ...] = ()


# The same picture is fetched by clients, by their retries and by tests.
@lru_cache(maxsize=32)
def draw(sheet: Sheet) -> bytes:
    """Return the encoded picture."""
    size = (sheet.width, sheet.height)
    # The gradient is drawn small: squares of one colour are encoded in less than half the time.
    small = (sheet.width // _SQUARE, sheet.height // _SQUARE)
    gradient = _mesh(sheet.seed).resize(small, Image.Resampling.BICUBIC)
    picture = gradient.resize(size, Image.Resampling.NEAREST)
    if sheet.transparent:
        picture.putalpha(_rounded(size))
    _write(picture, sheet)
    _stick(picture, sheet.thumbnails)
    encoding = _FORMATS[sheet.content_type]
    file = BytesIO()
    picture.save(file, encoding, **_OPTIONS[encoding])
    return file.getvalue()


def _mesh(seed: str) -> Image.Image:
    """Return a few pixels of neighbouring hues, which become a gradient when enlarged."""
    first, *rest = hashlib.shake_256(seed.encode()).digest(1 + _MESH * _MESH)
    points = b"".join(
        bytes([(first + number % 70) % 256, 110 + number % 90, 110 + number // 2])
        for number in rest
    )
    return Image.frombytes("HSV", (_MESH, _MESH), points).convert("RGB")


def _rounded(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size, 0)
    edge = min(size) // 16
    box = (edge, edge, size[0] - edge, size[1] - edge)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius=4 * edge, fill=235)
    return mask


def _write(picture: Image.Image, sheet: Sheet) -> None:
    unit = min(picture.size) // 32
    large, small = ImageFont.load_default(1.4 * unit), ImageFont.load_default(0.8 * unit)
    assert isinstance(large, ImageFont.FreeTypeFont), "Pillow is built with FreeType"
    margin = 3 * unit
    lines = _wrapped(sheet.text, large, picture.width - 2 * margin - 2 * unit)
    step = 2 * unit
    top = picture.height - margin - len(lines) * step - 3 * unit
    pen = ImageDraw.Draw(picture)
    panel = (margin, top, picture.width - margin, picture.height - margin)
    pen.rounded_rectangle(panel, radius=unit, fill=_PANEL[: len(picture.getbands())])
    ink = _INK[: len(picture.getbands())]
    for index, line in enumerate(lines):
        pen.text((margin + unit, top + unit / 2 + index * step), line, font=large, fill=ink)
    foot = (margin + unit, picture.height - margin - 2 * unit)
    pen.text(foot, f"SANDBOX · {sheet.caption}", font=small, fill=ink)


def _stick(picture: Image.Image, thumbnails: tuple[bytes, ...]) -> None:
    """Stick the inputs along the upper edge, as large as there is room for all of them."""
    if not thumbnails:
        return
    margin = 3 * min(picture.size) // 32
    step = min(_THUMBNAIL_PX, (picture.width - 2 * margin) // len(thumbnails))
    for place, file in enumerate(thumbnails):
        with Image.open(BytesIO(file)) as small:
            small.thumbnail((step - 2, step - 2))
            picture.paste(small, (margin + place * step, margin))


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Wrap a text to a width in pixels; lines beyond `_LINES_MAX` are dropped."""
    lines = [""]
    for word in text[: _LINES_MAX * 200].split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        # A word longer than a line is broken into pieces of one line each.
        letters = max(1, int(width / max(1.0, font.getlength(word) / len(word))))
        pieces = [word[start : start + letters] for start in range(0, len(word), letters)]
        lines.extend(pieces if lines[-1] else [])
        lines[-1:] = lines[-1:] if lines[-1] else pieces
        if len(lines) > _LINES_MAX:
            return [*lines[: _LINES_MAX - 1], f"{lines[_LINES_MAX - 1][:-1]}…"]
    return lines
