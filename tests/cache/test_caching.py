"""Treatment: what was said and what is set, brought together; what is barred is not left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from falgate.accounts.apikey import Permissions
from falgate.accounts.cache_settings import DEFAULT_POLICY, OVERRIDES, CachePolicy
from falgate.cache.directives import Directives
from falgate.cache.policy import EffectivePolicy, resolve, scope_name
from falgate.core.errors import NotAllowed
from falgate.core.picture import Picture

ANYTHING = Permissions()
PICTURE = Picture(
    sha256="0" * 64, content_type="image/png", size_bytes=1, width=1, height=1, made_s=100
)

said = st.builds(
    Directives,
    no_cache=st.booleans(),
    no_store=st.booleans(),
    max_age_s=st.none() | st.integers(0, 99),
    only_if_cached=st.booleans(),
    no_transform=st.booleans(),
    variation=st.sampled_from(("", "b")),
    scope=st.sampled_from((None, "org", "team", "app")),
)
cachings = st.builds(
    CachePolicy,
    scope=st.sampled_from(("org", "team", "app")),
    max_age_s=st.integers(0, 9),
    freshness=st.sampled_from(("cached", "no-cache", "no-store")),
    derive=st.booleans(),
    identical=st.sampled_from(("share", "distinct")),
    callers_may=st.sets(st.sampled_from(OVERRIDES)).map(tuple),
    ignore_freshness=st.booleans(),
    keep_prompts=st.booleans(),
)
permissions = st.builds(Permissions, fresh=st.booleans(), derive=st.booleans())


def treated(
    given_: Directives, caching: CachePolicy = DEFAULT_POLICY, key: Permissions = ANYTHING
) -> EffectivePolicy:
    return resolve(given_, caching, key, team="web", app="shop")


def test_who_says_nothing_gets_what_the_app_has_set() -> None:
    assert treated(Directives()) == EffectivePolicy(scope="organisation")
    set_ = CachePolicy(
        scope="team", max_age_s=5, freshness="no-store", derive=False, keep_prompts=True
    )
    assert treated(Directives(), set_) == EffectivePolicy(
        scope="team:web", max_age_s=5, fresh="aside", derived=False, keep_prompt=True
    )


def test_any_two_who_do_not_share_have_different_names() -> None:
    names = {
        scope_name(scope, team, app)
        for scope in ("team", "app")
        for team in ("a", "a/b")
        for app in ("c", "b/c")
    } | {scope_name("org", "a", "c")}

    # "a" with "b/c" is not the same app as "a/b" with "c": no name has a slash (core.directory).
    assert len(names) == 1 + 2 + 3


@pytest.mark.parametrize(
    ("given_", "what"),
    [
        (Directives(no_cache=True), "freshness"),
        (Directives(no_store=True), "freshness"),
        (Directives(max_age_s=5), "age"),
        (Directives(no_transform=True), "derivation"),
        (Directives(scope="app"), "scope"),
        (Directives(variation="b"), "variation"),
    ],
)
def test_each_word_is_for_the_app_to_give(given_: Directives, what: str) -> None:
    others = tuple(each for each in OVERRIDES if each != what)

    assert treated(given_, replace(DEFAULT_POLICY, callers_may=(what,)))
    with pytest.raises(NotAllowed):
        treated(given_, replace(DEFAULT_POLICY, callers_may=others))


@given(said, cachings, permissions)
def test_what_an_app_ignores_is_as_if_it_were_not_said(
    given_: Directives, caching: CachePolicy, key: Permissions
) -> None:
    silent = replace(given_, no_cache=False, no_store=False, max_age_s=None)
    try:
        expected = treated(silent, caching, key)
    except NotAllowed:
        with pytest.raises(NotAllowed):
            treated(given_, replace(caching, ignore_freshness=True), key)
    else:
        assert treated(given_, replace(caching, ignore_freshness=True), key) == expected


@given(said, cachings, permissions)
def test_what_is_allowed_is_what_comes_of_it(
    given_: Directives, caching: CachePolicy, key: Permissions
) -> None:
    try:
        found = treated(given_, caching, key)
    except NotAllowed:
        return
    if not key.fresh:
        assert not found.fresh or found.only_cached, "a barred key never buys what is there"
        if not found.only_cached:
            assert found.max_age_s == (caching.max_age_s or None)
    if given_.no_transform or not (caching.derive and key.derive):
        assert not found.derived
    widths = ["app:web/shop", "team:web", "organisation"]
    assert widths.index(found.scope) <= widths.index(scope_name(caching.scope, "web", "shop"))
    assert found.only_cached == given_.only_if_cached
    # New pictures are sent again as one request: nobody gets them twice by mistake.
    assert found.distinct == (caching.identical == "distinct" and not found.fresh)
    assert found.variation == given_.variation


@pytest.mark.parametrize(
    ("treatment", "picture", "admitted"),
    [
        (EffectivePolicy(scope="s"), PICTURE, True),
        (EffectivePolicy(scope="s", max_age_s=11), PICTURE, True),
        (EffectivePolicy(scope="s", max_age_s=10), PICTURE, False),
        (EffectivePolicy(scope="s", max_age_s=0), replace(PICTURE, made_s=110), False),
        (EffectivePolicy(scope="s"), replace(PICTURE, master="x.png"), True),
        (EffectivePolicy(scope="s", derived=False), replace(PICTURE, master="x.png"), False),
    ],
)
def test_only_what_is_young_and_fals_own_where_that_is_wanted(
    treatment: EffectivePolicy, picture: Picture, admitted: bool
) -> None:
    assert treatment.allows(picture, 110) is admitted
