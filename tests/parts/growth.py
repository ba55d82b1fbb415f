"""How the cost of reading a text grows with its length: hostile texts, and a judge of it."""

import time
from collections.abc import Callable

SHORT, LONG = 1_024, 16_384

HOSTILE: dict[str, Callable[[int], str]] = {
    "a word": lambda n: "a" * n,
    "blanks inside": lambda n: "a" + " " * n + "b",
    "tabs inside": lambda n: "a" + "\t" * n + "b",
    "blanks at both ends": lambda n: " " * (n // 2) + "a" + " " * (n // 2),
    "commas": lambda n: "," * n,
    "commas and blanks": lambda n: ", " * (n // 2) + "a",
    "quotes": lambda n: '"' * n + "a",
    "quotes that stay open": lambda n: 'a="' * (n // 3),
    "quoted commas": lambda n: 'a="' + "," * n,
    "quoted, and more behind": lambda n: 'a="' + "," * n + '"b',
    "backslashes": lambda n: 'a="' + "\\" * n,
    "escaped quotes": lambda n: 'a="' + '\\"' * (n // 2),
    "digits": lambda n: "9" * n + "x",
    "digits of a range": lambda n: "bytes=" + "9" * n + "-" + "9" * n + "x",
    "digits of an age": lambda n: "max-age=" + "0" * n + "x",
    "brackets": lambda n: "[" * n,
    "brackets and braces": lambda n: '[{"a":' * (n // 6),
    "percent signs": lambda n: "%" * n,
    "a list of parameters": lambda n: "application/json" + ";a=b" * (n // 4),
    "parameters without names": lambda n: "application/json" + "; " * (n // 2) + "=",
    "base64": lambda n: "Zm9vYmFy" * (n // 8) + "==!",
    "not ASCII": lambda n: "\xe4\xff" * (n // 2),
    "wide characters": lambda n: "\u20ac" * n,
    "slashes": lambda n: "/" * n + "!",
    "short segments": lambda n: "/a" * (n // 2) + "!",
    "dots": lambda n: "." * n + "!",
    "labels": lambda n: "https://" + "a." * (n // 2) + "!",
    "one long label": lambda n: "https://" + "a" * n + "!",
    "tags": lambda n: 'W/"a", ' * (n // 7) + '"',
    "weak and weaker": lambda n: "W/" * (n // 2) + '"',
    "equal signs": lambda n: "=" * n,
    "dashes": lambda n: "bytes=" + "-" * n,
    "colons": lambda n: ":" * n,
    "keys of a kind": lambda n: "fg_live_" * (n // 8),
    "a key that never comes": lambda n: "Key " * (n // 4),
}
"""Texts of a given length, by what they are made of: each is the worst for some way of reading."""

_ENOUGH_S = 0.002
"""What takes less than this for the long text is no square: that would be 10^8 steps and more."""
_RUNS = 4
_SLACK = 4


def square(read: Callable[[str], object], made: Callable[[int], str]) -> str:
    """What was seen, where reading costs more than the text is longer; else nothing.

    The quickest of some runs is compared, in CPU time: other processes make none of them quicker.
    A square would grow by 256, and so by far more than 16 times the slack.
    """
    long, short = made(LONG), made(SHORT)
    long_s = _took(read, long)
    for _ in range(_RUNS):
        if long_s < _ENOUGH_S:
            return ""
        short_s = min(_took(read, short) for _ in range(_RUNS))
        if long_s / short_s < LONG / SHORT * _SLACK:
            return ""
        long_s = min(long_s, _took(read, long))
    return f"{LONG // SHORT} times the length, {long_s / short_s:.0f} times the cost"


def _took(read: Callable[[str], object], text: str) -> float:
    began_s = time.process_time()
    read(text)
    return max(time.process_time() - began_s, 1e-6)
