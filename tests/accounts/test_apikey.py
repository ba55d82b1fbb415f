"""Keys: a form that scanners know, a checksum that catches slips, a secret that is let go of."""

import hashlib
import hmac
import re
import string
import zlib
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.accounts.apikey import (
    ID_BYTES,
    SECRET_BYTES,
    KeyRecord,
    Permissions,
    Presented,
    from_header,
    mint,
    present,
    remint,
)
from falgate.accounts.limits import Limits

DIGITS = string.digits + string.ascii_lowercase + string.ascii_uppercase
SCANNER = re.compile(r"\bfg_(?:live|test|admin)_[0-9A-Za-z]{11}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\b")
"""What operations give to a secret scanner; written down here apart from the code."""

Word = Literal["live", "test", "admin"]
words: st.SearchStrategy[Word] = st.sampled_from(["live", "test", "admin"])
ids = st.binary(min_size=ID_BYTES, max_size=ID_BYTES)
secrets = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
KEY = mint("live", bytes(range(8)), bytes(range(32)))


@given(words, ids, secrets)
def test_a_minted_key_is_read_back_without_its_secret(
    kind: Word, id_bytes: bytes, secret: bytes
) -> None:
    key = mint(kind, id_bytes, secret)
    presented = present(key)

    assert presented is not None
    _, word, public, spelt, _ = key.split("_")
    assert (presented.kind, presented.id) == (word, public) == (kind, public)
    assert presented.digest == hashlib.sha256(spelt.encode()).hexdigest()
    assert spelt not in repr(presented)


@given(words, ids, secrets, st.data())
def test_any_one_changed_character_is_refused(
    kind: Word, id_bytes: bytes, secret: bytes, data: st.DataObject
) -> None:
    key = mint(kind, id_bytes, secret)
    place = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.one_of(st.sampled_from(DIGITS), st.characters()))

    changed = key[:place] + other + key[place + 1 :]

    assert (present(changed) is None) == (changed != key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fg",
        KEY[:-1],
        KEY + "0",
        KEY + "\n",
        " " + KEY,
        KEY.upper(),
        KEY.replace("live", "test"),
        KEY.replace("live", "root"),
        KEY.replace("_", "-"),
        "id:secret",
    ],
)
def test_what_is_not_of_the_form_is_no_key(text: str) -> None:
    assert present(text) is None


def test_two_secrets_never_share_a_spelling() -> None:
    low = mint("live", bytes(8), bytes(32))
    high = mint("live", b"\xff" * 8, b"\xff" * 32)
    next_to_it = mint("live", bytes(8), bytes(31) + b"\x01")

    assert len({low, high, next_to_it}) == 3
    assert len(low) == len(high) == len(next_to_it)


@pytest.mark.parametrize(("id_bytes", "secret_bytes"), [(7, 32), (9, 32), (8, 31), (8, 33)])
def test_less_randomness_than_agreed_mints_nothing(id_bytes: int, secret_bytes: int) -> None:
    with pytest.raises(AssertionError):
        mint("live", bytes(id_bytes), bytes(secret_bytes))


@given(words, ids, secrets)
def test_a_scanner_finds_a_leaked_key_and_proves_it_by_itself(
    kind: Word, id_bytes: bytes, secret: bytes
) -> None:
    leaked = f'FAL_KEY="{mint(kind, id_bytes, secret)}"; echo done'

    [found] = SCANNER.findall(leaked)

    body, _, checksum = found.rpartition("_")
    value = sum(DIGITS.index(digit) * 62**place for place, digit in enumerate(checksum[::-1]))
    assert value == zlib.crc32(body.encode())


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Key abc", "abc"),
        ("key abc", "abc"),
        ("KEY  abc ", "abc"),
        ("Key\tabc", "abc"),
        ("Key \t abc def", "abc def"),
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("Key id:secret", "id:secret"),
        ("Basic abc", None),
        ("Key", None),
        ("Key ", None),
        ("Key   ", None),
        ("abc", None),
        ("", None),
        (" Key abc", None),
        ("Keyabc", None),
    ],
)
def test_a_key_is_taken_from_the_header_forms_that_clients_send(
    header: str, key: str | None
) -> None:
    assert from_header(header) == key


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    real = hmac.compare_digest

    def compare(left: str, right: str) -> bool:
        compared.append((left, right))
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    presented = present(KEY)
    assert presented is not None

    assert presented.matches(presented.digest)
    assert not presented.matches("0" * 64)
    assert compared == [(presented.digest, presented.digest), (presented.digest, "0" * 64)]


NOW_S = 1_700_000_000


def record(**fields: Any) -> KeyRecord:
    plain: dict[str, Any] = {
        "id": "a", "kind": "live", "digest": "d", "team": "t", "app": "a", "name": "n",
        "created_s": NOW_S,
    }  # fmt: skip
    return KeyRecord(**{**plain, **fields})


def shown(secret: int, kind: Word = "live") -> Presented:
    """A key with one of 256 secrets, as it is presented."""
    presented = present(mint(kind, bytes(8), bytes([secret]) * 32))
    assert presented is not None
    return presented


def test_a_record_keeps_no_secret_and_may_be_used_until_something_is_said() -> None:
    assert "secret" not in {field.name for field in msgspec.structs.fields(KeyRecord)}
    assert record().unusable(NOW_S) is None
    assert record().unusable(10**12) is None
    assert (record().permissions, record().limits) == (Permissions(), Limits())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"expires_s": NOW_S + 1}, None),
        ({"expires_s": NOW_S}, "expired"),
        ({"expires_s": NOW_S - 1}, "expired"),
        ({"disabled": True}, "disabled"),
        ({"disabled": True, "expires_s": NOW_S - 1}, "disabled"),
        ({"revoked_s": 1}, "revoked"),
        ({"revoked_s": NOW_S + 9}, "revoked"),
        ({"revoked_s": 1, "disabled": True, "expires_s": 1}, "revoked"),
    ],
)
def test_a_key_that_may_not_be_used_says_why(fields: dict[str, Any], why: str | None) -> None:
    assert record(**fields).unusable(NOW_S) == why


@pytest.mark.parametrize("seconds", [-10, -1, 0, 1])
def test_both_secrets_open_a_key_until_the_overlap_ends_and_then_the_new_one(seconds: int) -> None:
    rotated = record(
        digest=shown(2).digest, previous_digest=shown(1).digest, previous_until_s=NOW_S
    )

    assert rotated.opened_by(shown(2), NOW_S + seconds)
    assert rotated.opened_by(shown(1), NOW_S + seconds) == (seconds < 0)
    assert not rotated.opened_by(shown(3), NOW_S + seconds)


def test_a_key_that_was_never_rotated_has_one_secret() -> None:
    fresh = record(digest=shown(1).digest)

    assert fresh.opened_by(shown(1), NOW_S)
    assert not fresh.opened_by(shown(2), NOW_S)
    assert not fresh.opened_by(shown(2), 0)


def test_a_secret_opens_no_key_of_another_kind() -> None:
    for kind in ("test", "admin"):
        assert not record(digest=shown(1).digest).opened_by(shown(1, kind), NOW_S)


@pytest.mark.parametrize("secret", [1, 2, 3])
def test_a_secret_is_compared_with_both_whichever_it_is(
    monkeypatch: pytest.MonkeyPatch, secret: int
) -> None:
    compared = []
    real = hmac.compare_digest

    def compare(left: str, right: str) -> bool:
        compared.append(right)
        return real(left, right)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    digests = shown(2).digest, shown(1).digest
    rotated = record(digest=digests[0], previous_digest=digests[1], previous_until_s=NOW_S + 1)
    rotated.opened_by(shown(secret), NOW_S)

    assert tuple(compared) == digests


@given(words, ids, secrets, secrets)
def test_a_new_secret_leaves_a_keys_id_as_it_is(
    kind: Word, id_bytes: bytes, before: bytes, after: bytes
) -> None:
    old = present(mint(kind, id_bytes, before))
    assert old is not None
    new = present(remint(kind, old.id, after))

    assert new is not None
    assert (new.kind, new.id) == (old.kind, old.id)
    assert (new.digest == old.digest) == (before == after)


@pytest.mark.parametrize(
    "fields",
    [{"pictures_max": -1}, {"pictures_max": 1.5}, {"pictures_max": 1001}, {"colours": ["red"]}],
)
def test_permissions_that_make_no_sense_are_none(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Permissions)
