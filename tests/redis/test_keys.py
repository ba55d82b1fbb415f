"""The names of keys: one file spells them, and each belongs to a family that is listed."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

import falgate
from falgate.core.account import ORGANISATION, Account, chain
from falgate.redis import keyspace
from falgate.redis.families import FAMILIES

NAMED = {
    name: make
    for name, make in inspect.getmembers(keyspace, inspect.isfunction)
    if make.__module__ == keyspace.__name__ and inspect.signature(make).return_annotation is str
}
CONSTANT = {name: value for name, value in vars(keyspace).items() if str(value).startswith("{fg")}


def family(key: str) -> str:
    return key.split(":")[1]


def made(make: Callable[..., str]) -> str:
    kinds = inspect.signature(make).parameters.values()
    return make(*(ORGANISATION if each.annotation is Account else "x" for each in kinds))


def test_every_key_belongs_to_a_family_and_every_family_has_one() -> None:
    keys = [*map(made, NAMED.values()), *map(str, CONSTANT.values())]

    assert {family(key) for key in keys} == set(FAMILIES)


@pytest.mark.parametrize("upstream", ["fal", "https://queue.example:8443/a:b"])
@pytest.mark.parametrize("account", chain("web", "shop", "k1"), ids=lambda each: each.level)
def test_the_key_of_an_account_says_whose_it_is(upstream: str, account: Account) -> None:
    assert keyspace.account_of(keyspace.account(upstream, account)) == (upstream, account)


@pytest.mark.parametrize("key", ["", "{fg}:account:x", "{fg}:house:fal", "{fg}:account::team:web"])
def test_a_key_of_something_else_is_no_account_s(key: str) -> None:
    with pytest.raises(ValueError, match=r"account|organisation"):
        keyspace.account_of(key)


def test_no_other_file_spells_a_key() -> None:
    files = [
        each
        for each in Path(falgate.__file__).parent.rglob("*.*")
        if each.suffix in {".py", ".lua"} and each.name not in {"keyspace.py", "denials.py"}
    ]

    assert len(files) > 50
    assert [each.name for each in files if "{fg" in each.read_text()] == []
