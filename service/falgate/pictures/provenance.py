"""Which kinds of metadata a picture's file has, by its own structure; their content is not read."""

from collections.abc import Iterator

_PNG, _JPEG, _RIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"
_PNG_KINDS = {b"caBX": "c2pa", b"eXIf": "exif"}
_WEBP_KINDS = {b"C2PA": "c2pa", b"EXIF": "exif", b"XMP ": "xmp"}
_XMP_TEXT, _XMP_SEGMENT, _EXIF = (
    b"XML:com.adobe.xmp\0",
    b"http://ns.adobe.com/xap/1.0/\0",
    b"Exif\0\0",
)
_APP1, _APP11, _START_OF_SCAN = 0xE1, 0xEB, 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_BOX_LABEL = b"jumdc2pa"
"""A JUMBF description box whose type is C2PA's (its specification, section 11.1)."""
_HEAD = 64


def holds(data: bytes) -> tuple[str, ...]:
    """Return those of "c2pa" (content credentials), "exif" and "xmp" that a picture has.

    Presence only: no signature is checked. Only the heads of chunks are looked at, in linear time.
    """
    if data.startswith(_PNG):
        found = _png(data)
    elif data.startswith(_JPEG):
        found = _jpeg(data)
    elif data.startswith(_RIFF):
        found = _webp(data)
    else:
        return ()
    return tuple(sorted(set(found)))


def _png(data: bytes) -> Iterator[str]:
    at = len(_PNG)
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind in _PNG_KINDS:
            yield _PNG_KINDS[kind]
        if kind == b"iTXt" and data.startswith(_XMP_TEXT, at + 8):
            yield "xmp"
        at += 12 + size


def _jpeg(data: bytes) -> Iterator[str]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - the first byte of a marker
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:  # noqa: PLR2004 - a fill byte
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004 - likewise
            continue
        if marker == _START_OF_SCAN:
            return
        if marker == _APP1 and data.startswith(_EXIF, at + 4):
            yield "exif"
        if marker == _APP1 and data.startswith(_XMP_SEGMENT, at + 4):
            yield "xmp"
        if marker == _APP11 and _BOX_LABEL in data[at + 4 : at + 4 + _HEAD]:
            yield "c2pa"
        at += 2 + int.from_bytes(data[at + 2 : at + 4])


def _webp(data: bytes) -> Iterator[str]:
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in _WEBP_KINDS:
            yield _WEBP_KINDS[kind]
        at += 8 + size + size % 2
