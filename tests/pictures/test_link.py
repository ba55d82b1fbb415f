"""Signed links: good for one picture and a while, and made by nobody else."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from falgate.pictures import link

SECRET = bytes(range(32))
names = st.from_regex(r"[0-9a-f]{64}\.(png|jpeg|webp)", fullmatch=True)
times, lives = st.integers(0, 10**10), st.integers(1, 10**7)


def read(query: str) -> tuple[str, str]:
    fields = dict(parse_qsl(query))
    return fields["expires"], fields["signature"]


@given(names, times, lives)
def test_a_link_is_good_for_its_life_and_no_more_than_two_minutes_longer(
    name: str, now_s: int, ttl_s: int
) -> None:
    given_ = read(link.signed(name, SECRET, now_s, ttl_s))
    left_s = link.left_s(name, *given_, SECRET, now_s)

    assert left_s is not None
    assert ttl_s <= left_s < ttl_s + link.GRANULE_S + link.SKEW_S
    assert link.left_s(name, *given_, SECRET, now_s + left_s) == 0


@given(names, times)
def test_two_links_of_a_minute_are_the_same(name: str, now_s: int) -> None:
    start_s = now_s // 60 * 60

    assert link.signed(name, SECRET, start_s + 1, 600) == link.signed(
        name, SECRET, start_s + 60, 600
    )


@given(names, names, times, st.binary(min_size=32, max_size=32), st.text(max_size=50))
def test_nothing_else_is_good(name: str, other: str, now_s: int, secret: bytes, text: str) -> None:
    expires, signature = read(link.signed(name, SECRET, now_s, 600))

    if other != name:
        assert link.left_s(other, expires, signature, SECRET, now_s) is None
    if secret != SECRET:
        assert link.left_s(name, expires, signature, secret, now_s) is None
    if text != signature:
        assert link.left_s(name, expires, text, SECRET, now_s) is None
    if text != expires:
        assert link.left_s(name, text, signature, SECRET, now_s) is None
    assert link.left_s(name, str(int(expires) + 60), signature, SECRET, now_s) is None
