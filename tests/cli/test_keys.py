"""Keys of apps by command: made, listed and revoked, beside a gateway and without one."""

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.accounts import apikey

MODEL = "fal-ai/gpt-image-1.5"
Keys = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def typed(data: Path, falgate: Keys) -> Keys:
    """Types `falgate ARGUMENTS` about this test's data directory, once it is one."""
    (data / "redis").mkdir(mode=0o700, parents=True, exist_ok=True)
    return lambda *arguments: falgate(*arguments, FALGATE_DATA_DIR=str(data))


@pytest.fixture
def keys(typed: Keys) -> Keys:
    """Types `falgate keys ARGUMENTS` about it."""
    return lambda *arguments: typed("keys", *arguments)


def ask(url: str, key: str) -> httpx.Response:
    return httpx.post(
        f"{url}/{MODEL}",
        json={"prompt": "a fox", "quality": "low"},
        headers={"Authorization": f"Key {key}"},
        timeout=PATIENCE_S,
    )


def test_where_no_gateway_ever_ran_there_are_no_keys_and_none_is_made(
    data: Path, falgate: Keys
) -> None:
    refused = falgate("keys", "create", FALGATE_DATA_DIR=str(data))

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: there are no keys in {data}")
    assert not (data / "redis").exists()


def test_without_a_gateway_keys_are_made_listed_and_revoked(keys: Keys, typed: Keys) -> None:
    assert "create it first" in keys("create").stderr
    for arguments in (("teams", "create", "ads"), ("apps", "create", "ads/banners")):
        assert typed(*arguments).returncode == 0
    made = keys("create", "--team", "ads", "--app", "banners", "--name", "of [/x] spring")
    key = made.stdout.strip()
    presented = apikey.present(key)
    assert presented is not None
    assert (made.stdout, made.stderr) == (f"{key}\n", "")

    (listed,) = json.loads(keys("list", "--json").stdout)
    assert (listed["id"], listed["kind"], listed["state"]) == (presented.id, "live", "usable")
    assert (listed["team"], listed["app"]) == ("ads", "banners")
    table = keys("list").stdout
    assert presented.id in table
    assert "of [/x] spring" in table
    assert key.split("_")[3] not in table
    assert presented.digest not in table

    done = keys("revoke", key, "--yes", "--json")
    assert json.loads(done.stdout)["id"] == presented.id
    assert key.split("_")[3] not in done.stdout
    (revoked,) = json.loads(keys("list", "--json").stdout)
    assert revoked["state"] == "revoked"


def test_an_unknown_id_is_an_error_that_quotes_nothing(keys: Keys) -> None:
    done = keys("revoke", "fg_live_mistyped", "--yes")

    assert done.returncode == 1
    assert done.stderr == "Error: There is no such key; list the keys to see all of them\n"


def test_a_revocation_counts_at_once_on_every_instance(
    keys: Keys, data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path) as one, start(data, tmp_path) as other:
        key = keys("create").stdout.strip()
        bought, found = ask(one.url, key), ask(other.url, key)
        assert [reply.status_code for reply in (bought, found)] == [200, 200]
        assert found.headers["x-falgate-cache"] == "hit"
        assert one.key == other.key

        keys("revoke", key.split("_")[2], "--yes")

        refused = [ask(each.url, key) for each in (one, other)]
        assert [reply.status_code for reply in refused] == [403, 403]
        assert "revoked" in refused[0].json()["detail"]
        assert ask(other.url, other.key).status_code == 200


def test_a_disabled_key_and_an_old_secret_end_at_once_on_every_instance(
    keys: Keys, data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path) as one, start(data, tmp_path) as other:

        def statuses(key: str) -> list[int]:
            return [ask(each.url, key).status_code for each in (one, other)]

        first = keys("create").stdout.strip()
        key_id = first.split("_")[2]
        assert statuses(first) == [200, 200]

        keys("disable", key_id)
        assert statuses(first) == [403, 403]
        keys("enable", key_id)
        assert statuses(first) == [200, 200]

        second = keys("rotate", key_id, "--overlap", "1h").stdout.strip()
        assert statuses(first) == statuses(second) == [200, 200]
        third = keys("rotate", key_id, "--overlap", "0").stdout.strip()
        assert statuses(first) == statuses(second) == [401, 401]
        assert statuses(third) == [200, 200]


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
