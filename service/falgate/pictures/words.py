"""The words of a prompt by which the gallery finds its pictures."""

import re
import unicodedata
from hashlib import sha256

WORDS_MAX = 40
"""How many different words of a prompt are searchable: its first ones."""
_TEXT_MAX = 8_000
_WORD_MAX = 64
_DIGEST = 24
# Han, Hiragana and Katakana are written without spaces: each character is a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])\w)+")


def words_of(text: str) -> tuple[str, ...]:
    """Return the first different words of a text, the same for all spellings of a letter.

    Letters are compared without case, and after Unicode's NFKC. Only the first `_TEXT_MAX`
    characters are read, so the cost is bounded.
    """
    plain = unicodedata.normalize("NFKC", text[:_TEXT_MAX]).casefold()
    found: dict[str, None] = {}
    for match in _WORD.finditer(plain):
        found[match[0][:_WORD_MAX]] = None
        if len(found) == WORDS_MAX:
            break
    return tuple(found)


def word_names(text: str) -> tuple[str, ...]:
    """Return names of these words, of 24 hexadecimal digits: no name of a key has a prompt's."""
    return tuple(sha256(word.encode()).hexdigest()[:_DIGEST] for word in words_of(text))
