"""The names of keys: one file spells them, and each belongs to a family that is listed."""

from pathlib import Path

import pytest

import falgate
from falgate.core.account import Account, chain
from falgate.redis import keyspace, usage_keys
from falgate.redis.keyspace import KEYS


def test_every_key_belongs_to_a_family_of_its_own() -> None:
    keys = [make(*("x" for _ in make.parts)) for make in KEYS.values()]

    named = [key.split(":")[1] for key in keys]
    assert named == [each.family for each in KEYS.values()]
    assert len(set(named)) == len(keys) > 50


@pytest.mark.parametrize("parts", [(), ("fal", "2026-11-22", "more")], ids=["too few", "too many"])
def test_a_key_with_other_parts_is_a_mistake(parts: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="arguments"):
        usage_keys.usage(*parts)


@pytest.mark.parametrize("upstream", ["fal", "https://queue.example:8443/a:b"])
@pytest.mark.parametrize("account", chain("web", "shop", "k1"), ids=lambda each: each.level)
def test_the_key_of_an_account_says_whose_it_is(upstream: str, account: Account) -> None:
    assert keyspace.account_of(keyspace.account(upstream, account)) == (upstream, account)


@pytest.mark.parametrize(
    "key", ["", "{fg}:account:x", "{fg}:overage:fal", "{fg}:account::team:web"]
)
def test_a_key_of_something_else_is_no_account_s(key: str) -> None:
    with pytest.raises(ValueError, match=r"account|organisation"):
        keyspace.account_of(key)


def test_no_other_file_spells_a_key() -> None:
    files = [
        each
        for each in Path(falgate.__file__).parent.rglob("*.*")
        if each.suffix in {".py", ".lua"}
        and each.name not in {"key.py", "keyspace.py", "picture_keys.py", "denials.py"}
    ]

    assert len(files) > 50
    assert [each.name for each in files if "{fg" in each.read_text()] == []
