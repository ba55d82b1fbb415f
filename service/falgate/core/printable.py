"""A caller's text as it may be shown: on a terminal, in a log, or told back in an answer.

Control characters (C0, C1), escape sequences, marks that turn the direction of writing and halves
of surrogate pairs would else rewrite what stands around them, or fit into no encoding at all.
"""

from falgate.core.bounds import NAME_MAX


def escaped(text: str) -> str:
    r"""The same with whatever is not printable spelt out, such as \x1b."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def quoted(text: str, most: int = NAME_MAX) -> str:
    """The beginning of it, escaped: to be told back."""
    return escaped(text if len(text) <= most else f"{text[:most]}...")
