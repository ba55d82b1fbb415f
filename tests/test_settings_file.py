"""The settings file: read as variables are, which take precedence; what is wrong in it is told."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from falgate import settings
from falgate.settings import Settings, SettingsWrong

GOOD = """
upstream_url = "sandbox"
lease_s = 7
sandbox_work_s = 0.5
derive = false
cache_sliding = true
org_daily_usd = 12.50
allowed_hosts = ["a.example", "b.example"]
fal_key = "file:secret"
"""
WRONG = {
    "a slip": ("leese_s = 7", "leese_s (lease_s?): no such setting"),
    "a variable's name": ("FALGATE_LEASE_S = 7", "FALGATE_LEASE_S (lease_s?): no such setting"),
    "itself": ('settings_file = "x"', "settings_file"),
    "a table": ("[budget]\nday = 1", "budget: no such setting"),
    "a table for a setting": ("[lease_s]\nday = 1", "lease_s must be a string, a number"),
    "a time": ("listen = 2026-01-01", "listen must be a string, a number"),
    "a list of numbers": ("allowed_hosts = [1]", "allowed_hosts must be a string, a number"),
    "no TOML": ("lease_s: 7", "is not valid TOML"),
    "not UTF-8": ("\udcff", "is not valid TOML"),
    "a value out of range": ("lease_s = 0", "FALGATE_LEASE_S: "),
    "a value of another kind": ('lease_s = "long"', "FALGATE_LEASE_S: "),
}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment that names a file with this text."""

    def file(text: str) -> dict[str, str]:
        path = tmp_path / "settings.toml"
        path.write_text(text, errors="surrogateescape")
        return {"FALGATE_SETTINGS_FILE": str(path)}

    return file


def read(env: dict[str, str]) -> Settings:
    return settings.read(settings.environment(env))


def test_a_file_gives_what_variables_would_give(file: Callable[[str], dict[str, str]]) -> None:
    named = file(GOOD)

    assert read(named) == settings.read(
        {
            **named,
            "FALGATE_UPSTREAM_URL": "sandbox",
            "FALGATE_LEASE_S": "7",
            "FALGATE_SANDBOX_WORK_S": "0.5",
            "FALGATE_DERIVE": "false",
            "FALGATE_CACHE_SLIDING": "true",
            "FALGATE_ORG_DAILY_USD": "12.5",
            "FALGATE_ALLOWED_HOSTS": "a.example,b.example",
            "FALGATE_FAL_KEY": "file:secret",
        }
    )


@pytest.mark.parametrize(
    ("env", "lease_s", "key"),
    [
        ({}, 7, "file:secret"),
        ({"FALGATE_LEASE_S": "9"}, 9, "file:secret"),
        ({"FALGATE_LEASE_S": ""}, 7, "file:secret"),
        ({"FALGATE_FAL_KEY": "a:b"}, 7, "a:b"),
        ({"FAL_KEY": "a:b"}, 7, "a:b"),
    ],
)
def test_a_variable_takes_precedence_unless_it_is_empty(
    env: dict[str, str], lease_s: int, key: str, file: Callable[[str], dict[str, str]]
) -> None:
    found = read(file(GOOD) | env)

    assert (found.lease_s, found.fal_key) == (lease_s, key)


def test_an_empty_variable_that_the_file_does_not_mention_stays_as_it_is(
    file: Callable[[str], dict[str, str]],
) -> None:
    found = settings.environment(file(GOOD) | {"FALGATE_TLS_LISTEN": ""})

    assert found["FALGATE_TLS_LISTEN"] == ""


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_file_is_told(
    text: str, said: str, file: Callable[[str], dict[str, str]]
) -> None:
    with pytest.raises(SettingsWrong) as caught:
        read({"FALGATE_UPSTREAM_URL": "sandbox"} | file(text))

    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"cannot read .*none\.toml"):
        settings.environment({"FALGATE_SETTINGS_FILE": str(tmp_path / "none.toml")})


def test_a_file_that_others_can_read_is_told_of(file: Callable[[str], dict[str, str]]) -> None:
    named = file(GOOD)
    path = named["FALGATE_SETTINGS_FILE"]
    Path(path).chmod(0o644)

    (found,) = [each for each in settings.exposed(read(named)) if each.path == path]

    assert (found.mode, found.remedy) == ("644", f"chmod 600 {path}")


def test_commands_find_the_gateway_by_the_file(
    file: Callable[[str], dict[str, str]],
    falgate: Callable[..., "CompletedProcess[str]"],
    tmp_path: Path,
) -> None:
    data = tmp_path / "elsewhere"

    said = falgate("teams", "list", **file(f'data_dir = "{data}"'))

    assert said.returncode == 1
    assert f"there are no keys in {data}" in said.stderr
