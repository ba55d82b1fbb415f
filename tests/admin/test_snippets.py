"""A request as text: whatever is in it, a shell and an interpreter read back the same."""

import ast
import json
import shlex
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from falgate.admin.snippets import snippets

MODEL = "fal-ai/gpt-image-1.5"
ARGUMENTS = st.dictionaries(
    st.text(max_size=8), st.one_of(st.text(), st.booleans(), st.none(), st.integers()), max_size=4
)


@given(ARGUMENTS, st.sampled_from([{}, {"X-Falgate-Variation": 'it\'s "two"'}]))
def test_every_language_has_the_same_arguments(
    arguments: dict[str, Any], headers: dict[str, str]
) -> None:
    told = snippets(MODEL, arguments, headers)

    *_, body = words = shlex.split(told.curl.replace(" \\\n", " "))
    assert json.loads(body) == arguments
    assert {f"{name}: {value}" for name, value in headers.items()} <= {*words}
    assigned = next(each for each in ast.parse(told.python).body if isinstance(each, ast.Assign))
    assert ast.literal_eval(assigned.value) == arguments
    start = told.javascript.index("const input = ") + len("const input = ")
    assert json.JSONDecoder().raw_decode(told.javascript[start:])[0] == arguments
    assert told.javascript.isascii()


def test_what_turns_the_order_of_letters_is_escaped_everywhere() -> None:
    told = snippets(MODEL, {"prompt": "a \u202etac\u202c \x07 \U000e0001"}, {})

    for text in (told.curl, told.python, told.javascript):
        assert all(each.isprintable() or each == "\n" for each in text)
        assert r"\u202etac" in text


def test_neither_key_nor_address_is_in_it() -> None:
    told = snippets(MODEL, {"prompt": "a cat"}, {})

    assert "$FALGATE_URL/fal-ai/gpt-image-1.5" in told.curl
    assert "$FAL_KEY" in told.curl
    assert "a cat" not in repr(told)
