"""Error messages for operators: one line, with anything that may be secret removed."""

import re
from collections.abc import Iterable

_LENGTH_MAX = 300
_WORD = re.compile(r"([a-z][a-z0-9+.-]*://)?[^\s'\"<>()]+", re.IGNORECASE)
_READ_MAX = 2_000
_REFUSED = "fal answered"
_NUMBERED = re.compile(r"\d")
_QUOTED_MIN = 16
"""A run of this many characters of a text counts as a quotation of it."""
_PLACE, _PATH = re.compile(r"[^/?#]*"), re.compile(r"[^?#]*")


def words(error: BaseException, *, paths: bool = False) -> str:
    """Return an error's type and the first paragraph of its message.

    URLs are reduced to scheme and host, because a query may hold a secret and what precedes an @ a
    password. With `paths`, which the caller sets where no path can be secret, the path stays too.
    """
    first = str(error).strip().partition("\n\n")[0]
    return _line(type(error).__name__, first, _PATH if paths else _PLACE)


def refusal(status: int, text: str, hidden: Iterable[str] = (), *, about: str = "") -> str:
    """Describe an error answer from fal: its status and its message.

    Args:
        status: HTTP status of the answer.
        text: fal's message.
        hidden: Texts that must not appear, such as a key and a prompt. A short one is replaced by
            asterisks; if a long one is quoted, the whole message is withheld.
        about: Which call failed, such as " to the submit".
    """
    head = f"{_REFUSED} {status}{about}"
    said = " ".join(text[:_READ_MAX].split())
    for secret in (" ".join(each.split()) for each in hidden):
        if len(secret) >= _QUOTED_MIN and _quotes(said, secret):
            return f"{head}: (withheld: it quotes the request)"
        if secret:
            said = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", said)
    return _line(head, said, _PLACE)


def _quotes(said: str, text: str) -> bool:
    starts = range(len(said) - _QUOTED_MIN + 1)
    return any(said[start : start + _QUOTED_MIN] in text for start in starts)


def _line(head: str, text: str, place: re.Pattern[str]) -> str:
    said = _WORD.sub(lambda found: _without_secrets(found, place), " ".join(text.split()))
    plain = "".join(each if each.isprintable() else "?" for each in said)
    return f"{head}: {plain}"[:_LENGTH_MAX] if plain else head


def kind(said: str) -> str:
    """Return the kind of error in such a message: its text without words that contain digits."""
    head, _, reason = said.partition(":")
    if not head.startswith(_REFUSED):
        return head
    return " ".join([head, *(word for word in reason.split() if not _NUMBERED.search(word))])


def _without_secrets(found: re.Match[str], kept: re.Pattern[str]) -> str:
    word, scheme = found[0], found[1] or ""
    if "@" in word:
        return f"{scheme}***"
    if not scheme:
        return word.partition("?")[0]
    place = kept.match(word[len(scheme) :])
    return scheme + (place[0] if place else "")
