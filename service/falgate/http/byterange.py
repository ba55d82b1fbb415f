"""Byte ranges and entity tags: which part of a representation was asked for (RFC 9110, 13, 14)."""

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
        """The part, as the Content-Range header spells it."""
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


def part(
    asked: str | None, if_range: str | None, etag: str, size_bytes: int
) -> Span | Literal["whole", "unsatisfiable"]:
    """What to send for a Range header; `if_range` and `etag` say whether it is still meant.

    Several ranges, and whatever is not a range, are answered by the whole: a server may always
    ignore the header. A date in If-Range never matches, as there is none to compare it with.
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
    """Whether the caller has this representation already, by an If-None-Match header.

    `etag` is a strong tag with its quotes; the comparison is the weak one that caches want.
    """
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _TAG.findall(if_none_match)
