"""The decision: what a request gets from its pool, how many are missing, and what it is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.cache.decision import available, decide
from falgate.cache.policy import EffectivePolicy
from falgate.core.picture import Picture, Pool

NOW_S = 1_000
ANY = EffectivePolicy(scope="organisation")


def picture(name: str, made_s: int = 0, until_s: int = 0, master: str = "") -> Picture:
    return Picture(
        sha256=name * 64,
        content_type="image/png",
        size_bytes=1,
        width=1,
        height=1,
        made_s=made_s,
        until_s=until_s,
        master=master,
    )


OLD, YOUNG, OVER = picture("a"), picture("b", NOW_S - 5), picture("c", until_s=NOW_S)
CONVERTED = picture("d", master="a.png")

CASES = {
    # pool, policy, wanted: handed out, missing, source, why
    "empty": ((), ANY, 2, (), 2, "miss", "miss"),
    "hit": ((OLD, YOUNG), ANY, 2, (OLD, YOUNG), 0, "hit", "partial"),
    "more than wanted": ((OLD, YOUNG), ANY, 1, (OLD,), 0, "hit", "partial"),
    "fewer": ((OLD,), ANY, 3, (OLD,), 2, "partial", "partial"),
    "expired": ((OVER,), ANY, 1, (), 1, "miss", "miss"),
    "expired between": ((OLD, OVER, YOUNG), ANY, 2, (OLD, YOUNG), 0, "hit", "partial"),
    "converted": ((OLD, CONVERTED), ANY, 2, (OLD, CONVERTED), 0, "derived", "partial"),
    "converted behind": ((OLD, CONVERTED), ANY, 1, (OLD,), 0, "hit", "partial"),
    "too old": (
        (OLD, YOUNG),
        EffectivePolicy(scope="", max_age_s=6),
        2,
        (YOUNG,),
        1,
        "partial",
        "partial",
    ),
    "all too old": ((OLD,), EffectivePolicy(scope="", max_age_s=6), 1, (), 1, "miss", "request"),
    "none converted": (
        (CONVERTED,),
        EffectivePolicy(scope="", derived=False),
        1,
        (),
        1,
        "miss",
        "request",
    ),
    "new ones": (
        (OLD,),
        EffectivePolicy(scope="", fresh="replace"),
        1,
        (),
        1,
        "bypass",
        "request",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_pool_and_the_policy_decide(case: tuple[object, ...]) -> None:
    pictures, policy, wanted, handed, missing, source, why = case
    assert isinstance(pictures, tuple)
    assert isinstance(policy, EffectivePolicy)
    assert isinstance(wanted, int)

    found = decide(Pool(1, pictures, NOW_S), policy, wanted)

    assert (found.handed_out, found.missing, found.source, found.why) == (
        handed,
        missing,
        source,
        why,
    )


def test_what_other_requests_have_is_missing() -> None:
    pool = Pool(1, (OLD, YOUNG), NOW_S)

    assert decide(pool, ANY, 2, picked=(YOUNG,)).missing == 1
    assert decide(pool, ANY, 2, picked=()).source == "miss"
    assert decide(pool, ANY, 2).missing == 0


def test_what_has_to_be_of_one_purchase_is_there_as_a_whole_or_not_at_all() -> None:
    pool = Pool(1, (OLD, YOUNG), NOW_S)
    too_few = decide(pool, ANY, 3, whole=True)

    assert decide(pool, ANY, 2, whole=True).source == "hit"
    assert (too_few.pictures, too_few.missing, too_few.fresh) == ((), 3, True)
    assert decide(Pool(), ANY, 3, whole=True).source == "miss"


policies = st.builds(
    EffectivePolicy,
    scope=st.just(""),
    fresh=st.sampled_from(("", "replace", "aside", "beside")),
    max_age_s=st.none() | st.integers(0, 2_000),
    derived=st.booleans(),
)
pictures = st.builds(
    picture,
    st.sampled_from("abcdef"),
    st.integers(0, NOW_S),
    st.integers(0, 2 * NOW_S),
    st.sampled_from(("", "a.png")),
)


@given(st.lists(pictures, max_size=6).map(tuple), policies, st.integers(1, 4))
def test_what_is_handed_out_and_what_is_missing_are_what_is_wanted(
    of_pool: tuple[Picture, ...], policy: EffectivePolicy, wanted: int
) -> None:
    pool = Pool(1, of_pool, NOW_S)

    found = decide(pool, policy, wanted)

    assert len(found.handed_out) + found.missing == wanted
    assert set(found.handed_out) <= set(available(pool, policy))
    assert found.pool == pool, "what is missing is bought for the pool as it was read"
    assert (found.source in {"hit", "derived"}) == (found.missing == 0)
