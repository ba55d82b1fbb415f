"""Byte ranges and entity tags: the requested part of a representation (RFC 9110, 13 and 14)."""

import re
from typing import Literal

import msgspec

_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_DIGITS_MAX = 18


class Span(msgspec.Struct, frozen=True):
    """A part of a representation.

    Attributes:
        start: Its first byte.
        end: The byte after its last.
    """

    start: int
    end: int

    def content_range(self, size_bytes: int) -> str:
        """Return the Content-Range value of this part."""
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


def part(
    asked: str | None, if_range: str | None, etag: str, size_bytes: int
) -> Span | Literal["whole", "unsatisfiable"]:
    """Return what to send for a Range header, if `if_range` still matches `etag`.

    Multiple ranges and malformed headers get the whole representation: a server may always ignore
    Range. A date in If-Range never matches, because pictures have no modification date.
    """
    found = _RANGE.fullmatch(asked) if asked is not None else None
    if found is None or (if_range is not None and if_range.strip() != etag):
        return "whole"
    first, last = found.groups()
    if max(len(first), len(last)) > _DIGITS_MAX or not first + last:
        return "whole"
    if not first:
        return _suffix(int(last), size_bytes)
    if last and int(last) < int(first):
        return "whole"
    if int(first) >= size_bytes:
        return "unsatisfiable"
    return Span(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)


def _suffix(length_bytes: int, size_bytes: int) -> Span | Literal["unsatisfiable"]:
    if length_bytes == 0 or size_bytes == 0:
        return "unsatisfiable"
    return Span(max(0, size_bytes - length_bytes), size_bytes)


def unchanged(if_none_match: str | None, etag: str) -> bool:
    """Return whether the caller's copy is current, by its If-None-Match header.

    `etag` is a strong tag with its quotes; the comparison is weak, as RFC 9110 requires.
    """
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _TAG.findall(if_none_match)
