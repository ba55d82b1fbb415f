"""Finds where a picture ends by its own structure, so that trailing bytes can be cut off.

A decoder stops at the end of the picture and ignores what follows. Content that a browser or an
archiver would read as something else could hide there, so only the picture itself is kept. The
delivery is not refused as a whole: it is paid for, and refusing it would buy the same again.
"""

import re

from falgate.core.picture import NotAPicture, NotOurFormat

_PNG, _JPEG, _RIFF, _WEBP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"WEBP"
_PNG_FRAME, _PNG_LAST = 12, b"IEND"
_RIFF_HEAD, _CHUNK_HEAD = 12, 8
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers without a length field: TEM and the restart markers RST0 to RST7."""
_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The end of compressed data: within it, 0xFF is only followed by 0x00 or a restart marker."""


def cut(data: bytes) -> bytes:
    """Return the picture that the bytes begin with, without what follows it. Takes linear time.

    Raises:
        NotAPicture: Not a PNG, JPEG or WebP, or shorter than the picture.
    """
    if data.startswith(_PNG):
        end = _png(data)
    elif data.startswith(_JPEG):
        end = _jpeg(data)
    elif data.startswith(_RIFF) and data[8:_RIFF_HEAD] == _WEBP:
        end = _webp(data)
    else:
        raise NotOurFormat("This is not a picture that can be stored: not a PNG, JPEG or WebP")
    if end is None or end > len(data):
        raise NotAPicture("This is not a picture that can be stored: it is cut off")
    return data[:end]


def _png(data: bytes) -> int | None:
    """Return the end of a PNG: after its first IEND chunk."""
    at = len(_PNG)
    while at + _PNG_FRAME <= len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        at += _PNG_FRAME + size
        if kind == _PNG_LAST:
            return None if size else at
    return None


def _jpeg(data: bytes) -> int | None:
    """Return the end of a JPEG: after the first end-of-image marker between segments."""
    at = 2
    while found := _MARKER.match(data, at):
        at, marker = found.end(), found[1][0]
        if marker == _END_OF_IMAGE:
            return at
        if marker in _ALONE:
            continue
        at += int.from_bytes(data[at : at + 2])
        if marker == _START_OF_SCAN:
            scanned = _AFTER_SCAN.search(data, at)
            if scanned is None:
                return None
            at = scanned.start()
    return None


def _webp(data: bytes) -> int | None:
    """Return the end of a WebP: by the length in its header, which its chunks must fill."""
    end = _CHUNK_HEAD + int.from_bytes(data[4:8], "little")
    at = _RIFF_HEAD
    while at + _CHUNK_HEAD <= min(end, len(data)):
        size = int.from_bytes(data[at + 4 : at + _CHUNK_HEAD], "little")
        at += _CHUNK_HEAD + size + size % 2
    return end if at == end else None
