"""Directives of a request: read as RFC 9111 has them, and never by a word that only looks alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.accounts.cache_settings import SECONDS_MAX
from falgate.cache.directives import Directives, read
from falgate.core.errors import HeaderWrong


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", {}),
        ("no-cache", {"no_cache": True}),
        ("No-Cache , NO-STORE", {"no_cache": True, "no_store": True}),
        ("only-if-cached,no-transform", {"only_if_cached": True, "no_transform": True}),
        ("max-age=60", {"max_age_s": 60}),
        ('max-age="60"', {"max_age_s": 60}),
        ("max-age = 60", {"max_age_s": 60}),
        ("max-age=0060", {"max_age_s": 60}),
        ("max-age=60, max-age=5", {"max_age_s": 60}),
        ("max-age=99999999999999999999999", {"max_age_s": SECONDS_MAX}),
        ("max-age=2147483648", {"max_age_s": SECONDS_MAX}),
        ("max-age=-1", {}),
        ("max-age", {}),
        ("max-age=1.5", {}),
        ("max-age=", {}),
        ("max-age=٣", {}),
        ("no-caches, xno-store, no-cache-please", {}),
        ('ext="a, no-cache", no-store', {"no_store": True}),
        (r'ext="a\", no-cache", no-store', {"no_store": True}),
        ('no-cache="set-cookie"', {"no_cache": True}),
        (",, ,no-store,", {"no_store": True}),
        ('=, ", no-store', {"no_store": True}),
        ("max-stale, min-fresh=5", {}),
    ],
)
def test_each_is_read(text: str, said: dict[str, object]) -> None:
    assert read({"cache-control": text}) == Directives(**said)  # type: ignore[arg-type]  # of any field


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_whatever_stands_there_is_read(text: str) -> None:
    found = read({"cache-control": text})

    assert found.max_age_s is None or 0 <= found.max_age_s <= SECONDS_MAX
    if "no-store" not in text.lower():
        assert not found.no_store


@given(st.lists(st.sampled_from(("no-cache", "no-store", "only-if-cached", "max-age=7", "x=1"))))
def test_the_order_does_not_matter(names: list[str]) -> None:
    assert read({"cache-control": ", ".join(names)}) == read(
        {"cache-control": ",".join(reversed(names))}
    )


def test_a_label_and_a_scope_are_read() -> None:
    found = read({"x-falgate-variation": "b/2", "x-falgate-scope": " Team "})

    assert (found.variation, found.scope) == ("b/2", "team")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-falgate-variation": "two words"},
        {"x-falgate-variation": "ü"},
        {"x-falgate-variation": "x" * 65},
        {"x-falgate-scope": "all"},
        {"x-falgate-scope": "org, team"},
    ],
)
def test_what_is_none_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(HeaderWrong, match="X-Falgate-"):
        read(headers)
