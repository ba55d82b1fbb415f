"""Teams and apps: names that fit everywhere, and what is said of them."""

from typing import Any

import msgspec
import pytest

from falgate.accounts.directory import (
    NAME,
    Alias,
    App,
    Directory,
    Name,
    Team,
    aliases_of,
    target_of,
)
from falgate.accounts.limits import Limits


@pytest.mark.parametrize("name", ["web", "a", "0", "_x", "Web.Shop-2_b", "x" * 64])
def test_a_name_fits_a_path_a_label_and_a_key(name: str) -> None:
    assert NAME.fullmatch(name)
    assert msgspec.convert(name, Name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "-x", ".x", "a b", "a/b", "a:b", "\na", "ä", "a%2fb", "a\0", "x" * 65,
     "{a}", "*", "a,b", '"a"'],
)  # fmt: skip
def test_what_does_not_is_no_name(name: str) -> None:
    assert not NAME.fullmatch(name)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(name, Name)


def test_a_name_does_not_end_in_a_new_line() -> None:
    """Python's `$`, of the schema that other languages read, would let one pass."""
    assert not NAME.fullmatch("web\n")


def test_a_team_of_which_nothing_is_said_has_one_share_and_no_limit() -> None:
    assert Team() == Team(limits=Limits(), weight=1, waiting_generations=0)
    assert App() == App(limits=Limits())


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": 0},
        {"weight": -1},
        {"weight": 1.5},
        {"weight": 1001},
        {"waiting_generations": -1},
        {"limits": {"requests_per_second": -1}},
        {"limits": None},
        {"name": "web"},
    ],
)
def test_a_team_that_makes_no_sense_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Team)


def test_an_apps_alias_comes_before_the_organisations() -> None:
    shop = App(aliases={"acme/image": "x/y", "acme/own": "x/z"})
    directory = Directory(1, {}, {"web/shop": shop}, aliases={"acme/image": Alias(target="a/b")})

    assert target_of("acme/image", directory, App()) == "a/b"
    assert target_of("acme/image", directory, shop) == "x/y"
    assert target_of("acme/other", directory, shop) == ""
    assert aliases_of(directory, "web/shop") == {"acme/image": "x/y", "acme/own": "x/z"}
    assert aliases_of(directory, "web/blog") == {"acme/image": "a/b"}
