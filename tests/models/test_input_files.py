"""Arguments that are input pictures: how many there may be, where they are, and their replacing."""

from typing import Any

import msgspec
import pytest

from falgate.core.errors import InputRejected
from falgate.core.input_picture import InputPicture
from falgate.models.input_files import InputFiles, pictures_of, replaced


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments with a list of pictures, and one that may be left out."""

    urls: list[str] | None = None
    mask: str | None = None
    style: str = "plain"


URLS = InputFiles(argument="urls", many=True, least=1, most=2)
MASK = InputFiles(argument="mask", least=0, masks="urls")
A, B = (InputPicture(each * 32, 8, 9, "image/png") for each in ("ab", "cd"))


def test_values_are_those_of_a_list_or_the_only_one_or_none() -> None:
    asked = Input(urls=["a", "b"])

    assert URLS.values(asked) == ("a", "b")
    assert MASK.values(asked) == ()
    assert MASK.values(Input(mask="m")) == ("m",)
    assert (URLS.loc(1), MASK.loc(0)) == (["body", "urls", 1], ["body", "mask"])


@pytest.mark.parametrize(
    ("urls", "kind", "ctx"),
    [
        ([], "sequence_too_short", {"min_length": 1}),
        (None, "sequence_too_short", {"min_length": 1}),
        (["secret"] * 3, "sequence_too_long", {"max_length": 2}),
    ],
)
def test_too_few_and_too_many_are_refused_without_being_quoted(
    urls: Any, kind: str, ctx: dict[str, int]
) -> None:
    with pytest.raises(InputRejected) as refused:
        URLS.check_number(Input(urls=urls))

    (issue,) = refused.value.issues
    assert (issue["type"], issue["loc"], issue["ctx"]) == (kind, ["body", "urls"], ctx)
    assert "secret" not in str(issue)


def test_pictures_are_replaced_in_their_order_and_all_else_stays() -> None:
    asked = Input(urls=[str(B), str(A), str(B)], mask=str(A), style="bold")

    assert pictures_of([URLS, MASK], asked) == (B, A, B, A)
    sent = replaced([URLS, MASK], asked, {A: "at-a", B: "at-b"})
    assert sent == Input(urls=["at-b", "at-a", "at-b"], mask="at-a", style="bold")
    assert replaced([MASK], Input(urls=["x"]), {}) == Input(urls=["x"])


def test_what_was_not_read_yet_is_no_picture() -> None:
    assert pictures_of([URLS], Input(urls=["https://a.example/a.png", str(A)])) == (A,)
