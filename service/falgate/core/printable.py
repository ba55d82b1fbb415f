"""Callers' texts made safe to show on a terminal, in a log or in a response.

Otherwise control characters (C0, C1), escape sequences and bidirectional marks could rewrite the
surrounding text, and lone surrogates could not be encoded at all.
"""

from falgate.core.bounds import NAME_MAX


def escaped(text: str) -> str:
    r"""Return the text with everything unprintable spelt out, such as \x1b."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def quoted(text: str, most: int = NAME_MAX) -> str:
    """Return the first `most` characters of the text, escaped."""
    return escaped(text if len(text) <= most else f"{text[:most]}...")
