"""Keys of apps by command: made, listed and revoked, beside a gateway and without one."""

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from falgate.core import apikey

MODEL = "fal-ai/gpt-image-1.5"
Keys = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def keys(data: Path, falgate: Keys) -> Keys:
    """Types `falgate keys ARGUMENTS` about this test's data directory, once it is one."""
    (data / "redis").mkdir(mode=0o700, parents=True, exist_ok=True)
    return lambda *arguments: falgate("keys", *arguments, FALGATE_DATA_DIR=str(data))


def ask(url: str, key: str) -> httpx.Response:
    return httpx.post(
        f"{url}/{MODEL}",
        json={"prompt": "a fox", "quality": "low"},
        headers={"Authorization": f"Key {key}"},
        timeout=30,
    )


def test_where_no_gateway_ever_ran_there_are_no_keys_and_none_is_made(
    data: Path, falgate: Keys
) -> None:
    refused = falgate("keys", "create", FALGATE_DATA_DIR=str(data))

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: there are no keys in {data}")
    assert not (data / "redis").exists()


@pytest.mark.parametrize("word", ["", "two words", "[/x]", "a\nb", "x" * 65])
def test_a_team_is_a_word(word: str, keys: Keys) -> None:
    assert keys("create", "--team", word).returncode == 2
    assert json.loads(keys("list", "--json").stdout) == []


def test_a_note_is_shown_as_it_is(keys: Keys) -> None:
    keys("create", "--name", "[/x]")

    assert "[/x]" in keys("list").stdout


def test_without_a_gateway_keys_are_made_listed_and_revoked(keys: Keys) -> None:
    made = keys("create", "--team", "ads", "--app", "banners", "--name", "of spring")
    key = made.stdout.strip()
    presented = apikey.present(key)
    assert presented is not None
    assert (made.stdout, made.stderr) == (f"{key}\n", "")

    (listed,) = json.loads(keys("list", "--json").stdout)
    assert listed.pop("created_s") > 0
    assert listed == {
        "id": presented.id,
        "kind": "live",
        "team": "ads",
        "app": "banners",
        "name": "of spring",
        "revoked_s": 0,
    }

    assert keys("revoke", presented.id).stdout == f"{presented.id} is revoked\n"
    (revoked,) = json.loads(keys("list", "--json").stdout)
    assert revoked["revoked_s"] > 0


def test_the_table_shows_ids_whole_and_no_secret(keys: Keys) -> None:
    key = json.loads(keys("create", "--team", "a-team-of-a-very-long-name", "--json").stdout)["key"]
    presented = apikey.present(key)
    assert presented is not None

    table = keys("list").stdout

    assert presented.id in table
    assert key.split("_")[3] not in table
    assert presented.digest not in table


def test_an_unknown_id_is_an_error_that_quotes_nothing(keys: Keys) -> None:
    done = keys("revoke", "fg_live_mistyped")

    assert done.returncode == 1
    assert done.stderr == ("Error: there is no such key; `falgate keys list` shows all of them\n")


def test_a_key_itself_can_be_given_to_be_revoked(keys: Keys) -> None:
    key = keys("create").stdout.strip()

    done = keys("revoke", key, "--json")

    assert json.loads(done.stdout) == {"revoked": key.split("_")[2]}
    assert "secret" not in done.stdout
    assert key.split("_")[3] not in done.stdout


def test_a_revocation_counts_at_once_on_every_instance(
    keys: Keys, data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path) as one, start(data, tmp_path) as other:
        key = keys("create").stdout.strip()
        bought, found = ask(one.url, key), ask(other.url, key)
        assert [reply.status_code for reply in (bought, found)] == [200, 200]
        assert found.headers["x-falgate-cache"] == "hit"
        assert one.key == other.key

        keys("revoke", key.split("_")[2])

        refused = [ask(each.url, key) for each in (one, other)]
        assert [reply.status_code for reply in refused] == [403, 403]
        assert "revoked" in refused[0].json()["detail"]
        assert ask(other.url, other.key).status_code == 200


def test_a_test_key_never_reaches_the_upstream_of_live_ones(
    keys: Keys, data: Path, start: Start, tmp_path: Path
) -> None:
    """Live ones would go to a port where nobody is; only the sandbox can have answered."""
    closed = {"FAL_KEY": "id:secret", "FALGATE_UPSTREAM_URL": "http://127.0.0.1:1/queue"}
    with start(data, tmp_path, **closed) as gateway:
        key = keys("create", "--test").stdout.strip()
        assert key.startswith("fg_test_")
        assert ask(gateway.url, gateway.key).status_code == 503
        assert ask(gateway.url, key).status_code == 200
