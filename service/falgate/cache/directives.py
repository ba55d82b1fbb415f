"""The cache directives in a request's headers: `Cache-Control`, and falgate's own."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from falgate.accounts.cache_settings import SECONDS_MAX, Scope
from falgate.core.errors import HeaderWrong

_VARIATION, _SCOPE = "x-falgate-variation", "x-falgate-scope"
_READ = frozenset({"cache-control", _VARIATION, _SCOPE})
_LABEL = re.compile(r"[!-~]{1,64}")
# RFC 9110 section 5.6: a token, and perhaps a token or a quoted string as its argument. All
# quantifiers are possessive, so there is no backtracking and the time is linear in the length.
_DIRECTIVE = re.compile(
    r"""\s*+ ([^\s,;="]++) \s*+
    (?: = \s*+ (?: "((?:[^"\\]|\\.)*+)" | ([^\s,"]*+) ) )?+
    \s*+ (?: , | \Z )""",
    re.VERBOSE,
)
_DELTA = re.compile(r"[0-9]+")


class Directives(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers ask for; whether it is allowed is checked elsewhere.

    Attributes:
        no_cache: Buy new pictures, and replace the cached ones by them.
        no_store: Buy new pictures, and cache none of them.
        max_age_s: Use only pictures younger than this, in seconds; None if unspecified.
        only_if_cached: Buy nothing.
        no_transform: Use no converted pictures.
        variation: Label of a separate pool; "" for none.
        scope: Share with no more than these; None if unspecified.
    """

    no_cache: bool = False
    no_store: bool = False
    max_age_s: int | None = None
    only_if_cached: bool = False
    no_transform: bool = False
    variation: str = ""
    scope: Scope | None = None


NONE = Directives()
"""Most requests have none."""


def read(headers: Mapping[str, str]) -> Directives:
    """Parse the headers (RFC 9111 section 5.2.1); ignore directives that are unknown or invalid.

    Raises:
        HeaderWrong: A label or a scope is invalid. If it were ignored, the caller would get
            pictures that it wanted to avoid, or share pictures that it wanted to keep to itself.
    """
    if _READ.isdisjoint(headers):
        return NONE
    # Of several directives of one name, the first one counts (RFC 9111 section 4.2.1).
    said: dict[str, str] = {}
    for name, argument in _listed(headers.get("cache-control", "")):
        said.setdefault(name, argument)
    age = said.get("max-age", "")
    return Directives(
        no_cache="no-cache" in said,
        no_store="no-store" in said,
        max_age_s=_seconds(age) if _DELTA.fullmatch(age) else None,
        only_if_cached="only-if-cached" in said,
        no_transform="no-transform" in said,
        variation=_variation(headers.get(_VARIATION, "")),
        scope=_scope(headers.get(_SCOPE, "")),
    )


def _listed(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        found = _DIRECTIVE.match(text, position)
        if found is None:  # not of that form: continue after the next comma
            position = text.find(",", position) + 1 or len(text)
            continue
        position = found.end()
        yield found[1].lower(), found[2] or found[3] or ""


def _seconds(digits: str) -> int:
    """Parse a delta: values that are too large count as the largest (RFC 9111 section 1.2.2)."""
    short = digits.lstrip("0")[:11]
    return min(int(short or "0"), SECONDS_MAX)


def _variation(text: str) -> str:
    if text and not _LABEL.fullmatch(text):
        raise HeaderWrong(
            "X-Falgate-Variation must be 1 to 64 printable ASCII characters, no spaces"
        )
    return text


def _scope(text: str) -> Scope | None:
    if not text:
        return None
    try:
        scope: Scope = msgspec.convert(text.strip().lower(), Scope)
    except msgspec.ValidationError:
        raise HeaderWrong("X-Falgate-Scope must be org, team or app") from None
    return scope
