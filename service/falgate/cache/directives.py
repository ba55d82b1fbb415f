"""What a caller's headers say about the cache: `Cache-Control` of a request, and falgate's own."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from falgate.accounts.cache_settings import SECONDS_MAX, Scope
from falgate.core.errors import HeaderWrong

_VARIATION, _SCOPE = "x-falgate-variation", "x-falgate-scope"
_LABEL = re.compile(r"[!-~]{1,64}")
# RFC 9110 section 5.6: a token, and perhaps a token or a quoted string as its argument. Possessive
# throughout: nothing is given back and tried again, so the cost grows with the length alone.
_DIRECTIVE = re.compile(
    r"""\s*+ ([^\s,;="]++) \s*+
    (?: = \s*+ (?: "((?:[^"\\]|\\.)*+)" | ([^\s,"]*+) ) )?+
    \s*+ (?: , | \Z )""",
    re.VERBOSE,
)
_DELTA = re.compile(r"[0-9]+")


class Directives(msgspec.Struct, frozen=True, kw_only=True):
    """What was said; nothing of it is allowed or forbidden yet.

    Attributes:
        no_cache: Buy new pictures, and let them replace those that are kept.
        no_store: Buy new pictures, and keep none of them.
        max_age_s: Only pictures younger than so many seconds; None: not said.
        only_if_cached: Buy nothing.
        no_transform: No picture that falgate has made of another one.
        variation: Label of a pool of its own; "": none.
        scope: Share with no more than these; None: not said.
    """

    no_cache: bool = False
    no_store: bool = False
    max_age_s: int | None = None
    only_if_cached: bool = False
    no_transform: bool = False
    variation: str = ""
    scope: Scope | None = None


def read(headers: Mapping[str, str]) -> Directives:
    """Read them (RFC 9111 section 5.2.1); directives that are unknown or senseless are ignored.

    Raises:
        HeaderWrong: A label or a scope is none. Ignored, it would be answered with pictures that
            the caller wanted to stay away from, or to keep to itself.
    """
    # Of several of one name the first one counts (RFC 9111 section 4.2.1).
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
        if found is None:  # not of that form: on behind the next comma
            position = text.find(",", position) + 1 or len(text)
            continue
        position = found.end()
        yield found[1].lower(), found[2] or found[3] or ""


def _seconds(digits: str) -> int:
    """As RFC 9111 section 1.2.2 has it: what is too large to be counted is the largest."""
    short = digits.lstrip("0")[:11]
    return min(int(short or "0"), SECONDS_MAX)


def _variation(text: str) -> str:
    if text and not _LABEL.fullmatch(text):
        raise HeaderWrong("X-Falgate-Variation is 1 to 64 printable ASCII characters, no spaces")
    return text


def _scope(text: str) -> Scope | None:
    if not text:
        return None
    try:
        scope: Scope = msgspec.convert(text.strip().lower(), Scope)
    except msgspec.ValidationError:
        raise HeaderWrong("X-Falgate-Scope is one of org, team and app") from None
    return scope
