"""Byte ranges and entity tags, by the examples of RFC 9110 and by properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.http.byterange import Span, part, unchanged

TAG = '"abc"'


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-499", Span(0, 500)),
        ("bytes=500-999", Span(500, 1000)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=9999-9999", Span(9999, 10_000)),
        ("bytes=9500-", Span(9500, 10_000)),
        ("bytes=0-", Span(0, 10_000)),
        ("bytes=-500", Span(9500, 10_000)),
        ("bytes=-1", Span(9999, 10_000)),
        ("bytes=-10001", Span(0, 10_000)),
        ("bytes=9000-20000", Span(9000, 10_000)),
        ("Bytes= 0-4 ", Span(0, 5)),
        ("bytes=00-04", Span(0, 5)),
    ],
)
def test_a_single_range_is_cut_to_what_is_there(asked: str, span: Span) -> None:
    assert part(asked, None, TAG, 10_000) == span


@pytest.mark.parametrize("asked", ["bytes=10000-", "bytes=10000-10001", "bytes=99999-", "bytes=-0"])
def test_a_range_outside_cannot_be_satisfied(asked: str) -> None:
    assert part(asked, None, TAG, 10_000) == "unsatisfiable"


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_nothing_of_nothing_can_be_satisfied(asked: str) -> None:
    assert part(asked, None, TAG, 0) == "unsatisfiable"


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1",
        "bytes=5-4",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=0-1,3-4",
        "bytes=0-1,",
        "items=0-1",
        "bytes=0x1-2",
        "bytes=0 -1",
        "bytes=\u0661-2",
        "bytes=0-1\n",
        "bytes=1_0-20",
        f"bytes={'9' * 5000}-",
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_several_ranges_or_none_at_all_get_the_whole(asked: str | None) -> None:
    assert part(asked, None, TAG, 10_000) == "whole"


@pytest.mark.parametrize(
    "if_range", ['"other"', 'W/"abc"', "abc", "", "Sat, 29 Oct 2026 19:43:31 GMT"]
)
def test_a_range_of_something_else_gets_the_whole(if_range: str) -> None:
    assert part("bytes=0-1", if_range, TAG, 10) == "whole"
    assert part("bytes=99-", if_range, TAG, 10) == "whole"


def test_a_range_of_this_very_thing_is_meant() -> None:
    assert part("bytes=0-1", ' "abc" ', TAG, 10) == Span(0, 2)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_a_range_is_the_slice_that_it_names(first: int, last: int, size_bytes: int) -> None:
    data = bytes(index % 251 for index in range(size_bytes))
    span = part(f"bytes={first}-{last}", None, TAG, size_bytes)
    if last < first:
        assert span == "whole"
    elif first >= size_bytes:
        assert span == "unsatisfiable"
    else:
        assert isinstance(span, Span)
        assert data[span.start : span.end] == data[first : last + 1]


@given(st.text(), st.integers(0, 10**12))
def test_no_header_breaks_it(asked: str, size_bytes: int) -> None:
    for header in (asked, f"bytes={asked}"):
        span = part(header, None, TAG, size_bytes)
        if isinstance(span, Span):
            assert 0 <= span.start < span.end <= size_bytes


def test_a_part_is_spelt_with_its_last_byte_and_the_size() -> None:
    assert Span(0, 500).content_range(1234) == "bytes 0-499/1234"
    assert Span(1233, 1234).content_range(1234) == "bytes 1233-1233/1234"


@pytest.mark.parametrize(
    "header",
    [
        '"abc"',
        'W/"abc"',
        "*",
        " * ",
        '"x", "abc"',
        '"x","abc" , "y"',
        'W/"x", W/"abc"',
        '"with,comma", "abc"',
        ', "abc",',
    ],
)
def test_a_caller_that_has_it_needs_no_body(header: str) -> None:
    assert unchanged(header, TAG)


@pytest.mark.parametrize(
    "header", [None, "", "abc", '"ab"', '"abcd"', '"x", "y"', '"ABC"', '"x, abc"', "**"]
)
def test_a_caller_that_has_another_gets_this_one(header: str | None) -> None:
    assert not unchanged(header, TAG)
