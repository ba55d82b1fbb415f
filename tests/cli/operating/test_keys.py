"""`falgate keys`: what a key may do, and its life."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from falgate.accounts import apikey

Falgate = Callable[..., Result]
Ask = Callable[..., Any]
Refused = Callable[..., str]

OF_SHOP = ("--team", "web", "--app", "shop")


@pytest.fixture(autouse=True)
def shop(falgate: Falgate) -> None:
    """Makes team web and its app shop."""
    falgate("teams", "create", "web")
    falgate("apps", "create", "web/shop")


@pytest.fixture
def shown(ask: Ask) -> Callable[[str], dict[str, Any]]:
    """Looks at a key."""

    def shown(key_id: str) -> dict[str, Any]:
        return dict(ask("keys", "show", key_id))

    return shown


def test_a_key_may_do_what_it_was_made_for(ask: Ask, shown: Ask) -> None:
    permitted = ("--model", "fal-ai/gpt-image-1.5", "--quality", "low", "--quality", "medium")
    more = ("--size", "1024x1024", "--pictures-max", "2", "--network", "10.0.0.0/8")
    made = ask("keys", "create", *OF_SHOP, *permitted, *more, "--expires", "2099-01-31")

    found = shown(made["record"]["id"])

    assert found["permissions"] == {
        "models": ["fal-ai/gpt-image-1.5"],
        "qualities": ["low", "medium"],
        "sizes": ["1024x1024"],
        "pictures_max": 2,
        "networks": ["10.0.0.0/8"],
        "inputs_max": 0,
        "input_bytes_max": 0,
        "fresh": True,
        "derive": True,
    }
    assert (found["expires_at"], found["state"]) == ("2099-01-31T00:00:00+00:00", "usable")


def test_a_key_may_use_a_family_of_models(ask: Ask, shown: Ask, refused: Ask) -> None:
    made = ask("keys", "create", *OF_SHOP, "--model", "openai/gpt-image-2.5/*")

    assert shown(made["record"]["id"])["permissions"]["models"] == ["openai/gpt-image-2.5/*"]
    said = refused("keys", "create", *OF_SHOP, "--model", "openai/gpt-image-3/*")
    assert "is not a family of models" in said


def test_a_key_is_changed_in_part(ask: Ask, shown: Ask, falgate: Falgate) -> None:
    key_id = ask("keys", "create", *OF_SHOP, "--quality", "low", "--name", "old")["record"]["id"]

    falgate("keys", "change", key_id, "--size", "1024x1024", "--expires", "2099-01-31T12:00+02:00")
    found = shown(key_id)
    assert (found["name"], found["expires_at"]) == ("old", "2099-01-31T10:00:00+00:00")
    assert found["permissions"]["qualities"] == ["low"]
    assert found["permissions"]["sizes"] == ["1024x1024"]

    falgate("keys", "change", key_id, "--everything", "--name", "new", "--expires", "never")
    found = shown(key_id)
    assert (found["name"], found["expires_at"]) == ("new", None)
    assert set(map(str, found["permissions"].values())) == {"[]", "0", "True"}


def test_a_key_is_disabled_enabled_rotated_and_revoked(
    ask: Ask, shown: Ask, falgate: Falgate, refused: Refused
) -> None:
    made = ask("keys", "create", *OF_SHOP)
    key_id = made["record"]["id"]

    assert falgate("keys", "disable", key_id).stdout == f"{key_id} is disabled\n"
    assert shown(key_id)["state"] == "disabled"
    assert falgate("keys", "enable", key_id).stdout == f"{key_id} is usable\n"

    rotated = ask("keys", "rotate", key_id, "--overlap", "30m")
    assert rotated["key"] != made["key"]
    assert shown(key_id)["previous_until"]
    # All of the old key, as somebody has it at hand, names it as well.
    assert ask("keys", "rotate", made["key"], "--overlap", "0")["record"]["id"] == key_id
    assert shown(key_id)["previous_until"] is None

    assert falgate("keys", "revoke", key_id, "--yes").stdout == f"{key_id} is revoked\n"
    assert shown(key_id)["state"] == "revoked"
    for command in ("enable", "disable"):
        assert "for ever" in refused("keys", command, key_id)
    assert "for ever" in refused("keys", "rotate", key_id)


def test_keys_are_listed_by_whose_they_are(ask: Ask) -> None:
    key_id = ask("keys", "create", *OF_SHOP, "--test")["record"]["id"]

    assert [(each["id"], each["kind"]) for each in ask("keys", "list")] == [(key_id, "test")]
    assert len(ask("keys", "list", "--of", "web/shop")) == 1
    assert ask("keys", "list", "--of", "web/other") == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--app", "nope"), "There is no app web/nope"),
        (("--model", "fal-ai/nope"), "is not a known model"),
        (("--quality", "lw"), "choose from low, medium, high"),
        (("--size", "1x1"), "is not a known size"),
        (("--network", "10.0.0.1/8"), "the network is 10.0.0.0/8"),
        (("--pictures-max", "-1"), "-1 is not in the range"),
        (("--expires", "2020-01-01"), "in the past"),
        (("--expires", "2999-01-01"), "too far away"),
        (("--expires", "tomorrow"), "is no time"),
    ],
)
def test_a_key_for_nothing_is_not_made(
    arguments: tuple[str, ...], complaint: str, refused: Refused, ask: Ask
) -> None:
    assert complaint in refused("keys", "create", *OF_SHOP, *arguments)
    assert ask("keys", "list") == []


def test_a_key_is_not_revoked_before_somebody_has_said_yes(
    ask: Ask, refused: Refused, shown: Ask
) -> None:
    key_id = ask("keys", "create", "--app", "web/shop")["record"]["id"]

    assert "give --yes" in refused("keys", "revoke", key_id)
    assert shown(key_id)["state"] == "usable"
    assert ask("keys", "revoke", key_id, "--yes")["state"] == "revoked"


def test_one_team_is_named_once(refused: Refused) -> None:
    assert "two teams" in refused("keys", "create", "--team", "ads", "--app", "web/shop")


@pytest.mark.parametrize("overlap", ["-1", "1w", "soon", "9999d"])
def test_an_overlap_is_a_duration(overlap: str, refused: Refused, ask: Ask) -> None:
    key_id = ask("keys", "create", *OF_SHOP)["record"]["id"]

    assert refused("keys", "rotate", key_id, "--overlap", overlap)


def test_an_admin_key_is_made_and_kept_nowhere(falgate: Falgate, ask: Ask) -> None:
    presented = apikey.present(falgate("keys", "admin").stdout.strip())

    assert presented is not None
    assert presented.kind == "admin"
    assert ask("keys", "list") == []
