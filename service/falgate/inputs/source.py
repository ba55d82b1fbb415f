"""What the value of an input argument stands for: bytes in itself, a picture of ours, or a URL."""

import re
from urllib.parse import parse_qs

import msgspec
import pybase64

from falgate.egress.target import Rules, origin, problem

_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[\w.+-]+){0,4};base64,", re.ASCII)
_HERE = r"https?://[^/?#\s]+(?:/[^/?#\s]+)*"
# An app may know this gateway by several names, so the host is not compared: the id of an upload
# cannot be guessed, and the name of a picture is the hash of its bytes.
_UPLOAD = re.compile(rf"{_HERE}/inputs/([0-9a-f]{{32}})")
_SERVED = re.compile(rf"{_HERE}/pictures/([0-9a-f]{{64}}\.(?:png|jpeg|webp))(?:\?([^#]{{0,200}}))?")
_LENGTH_MAX = 2_048
"""Of anything but a data URI."""


class Inline(msgspec.Struct, frozen=True):
    """A data URI; `text` is its base64."""

    text: str

    def data(self) -> bytes | None:
        """Return the bytes, or None if they are not base64."""
        try:
            return pybase64.b64decode(self.text, validate=True)
        except ValueError:
            return None

    @property
    def size_bytes(self) -> int:
        """Return about how many bytes it has, without decoding them: at most two more."""
        return len(self.text) // 4 * 3


class Uploaded(msgspec.Struct, frozen=True):
    """The URL of an upload to this gateway."""

    upload_id: str


class Served(msgspec.Struct, frozen=True):
    """The URL of a picture that this gateway serves, with its signature if it has one."""

    name: str
    expires: str
    signature: str


class Elsewhere(msgspec.Struct, frozen=True):
    """A URL that may be fetched."""

    url: str


class Refused(msgspec.Struct, frozen=True):
    """Nothing that may be read; `why` completes "The file"."""

    why: str


Source = Inline | Uploaded | Served | Elsewhere | Refused


def source(value: str, allowed: Rules | None) -> Source:
    """Return what a value stands for.

    Args:
        value: As the caller sent it.
        allowed: Where URLs may be fetched from; None for nowhere.
    """
    if found := _DATA.match(value):
        return Inline(value[found.end() :])
    if len(value) <= _LENGTH_MAX:
        if found := _UPLOAD.fullmatch(value):
            return Uploaded(found[1])
        if found := _SERVED.fullmatch(value):
            query = parse_qs(found[2] or "")
            return Served(
                found[1], *(query.get(each, [""])[0] for each in ("expires", "signature"))
            )
    return elsewhere(value, allowed)


def elsewhere(url: str, allowed: Rules | None) -> Elsewhere | Refused:
    """Return a URL as one that may be fetched, or why it may not be."""
    if allowed is None:
        return Refused(
            "must be uploaded, or sent as a data URI: this gateway fetches no URLs of callers; ask "
            "your falgate operator"
        )
    wrong = problem(url, allowed)
    return Refused(wrong) if wrong else Elsewhere(url)


def shown(value: str) -> str:
    """Return what an error may quote of a value: no path or query, which may hold secrets."""
    return "data:" if value.startswith("data:") else origin(value[:_LENGTH_MAX])
