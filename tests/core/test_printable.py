"""Text of callers, as it is shown: nothing in it acts on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.core.printable import escaped, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a cat", "a cat"),
        ("\u00e4 \u20ac \U0001f5fc", "\u00e4 \u20ac \U0001f5fc"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\nb\tc\x00", r"a\nb\tc\x00"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("\ud800", r"\ud800"),
        ("\u2028\ufeff", r"\u2028\ufeff"),
    ],
)
def test_what_is_not_printable_is_spelt_out(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text(st.characters()))
def test_whatever_it_is_it_can_be_shown(text: str) -> None:
    assert escaped(text).isprintable()
    assert escaped(text).encode().decode() == escaped(text)
    assert len(quoted(text, 5)) <= 8 * len(r"\U0001f5fc")
