"""What an error says, for operators: one line, without what may be a secret."""

import re

_LENGTH_MAX = 300
_WORD = re.compile(r"([a-z][a-z0-9+.-]*://)?[^\s'\"<>()]+", re.IGNORECASE)
_PLACE, _PATH = re.compile(r"[^/?#]*"), re.compile(r"[^?#]*")


def words(error: BaseException, *, paths: bool = False) -> str:
    """The kind of an error and the first paragraph of what it says.

    Of URLs only scheme and host stay, and where no secret can be in them `paths`. Queries may be
    secrets of ours, and what stands before an @ a password.
    """
    first = " ".join(str(error).strip().partition("\n\n")[0].split())
    place = _PATH if paths else _PLACE
    said = _WORD.sub(lambda found: _without_secrets(found, place), first)
    plain = "".join(each if each.isprintable() else "?" for each in said)
    name = type(error).__name__
    return f"{name}: {plain}"[:_LENGTH_MAX] if plain else name


def kind(said: str) -> str:
    """The kind of error in such words."""
    return said.partition(":")[0]


def _without_secrets(found: re.Match[str], kept: re.Pattern[str]) -> str:
    word, scheme = found[0], found[1] or ""
    if "@" in word:
        return f"{scheme}***"
    if not scheme:
        return word.partition("?")[0]
    place = kept.match(word[len(scheme) :])
    return scheme + (place[0] if place else "")
