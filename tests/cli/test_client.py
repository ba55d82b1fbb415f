"""Commands as clients of a gateway that is somewhere else: over HTTP, with the admin key."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from processes import reserved_port

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def remote(tmp_path: Path, data: Path, start: Start, falgate: Command) -> Iterator[Command]:
    """Types `falgate ARGUMENTS` in a shell that knows a gateway's address and admin key alone."""
    # A gateway lets be what is for commands.
    with start(data, tmp_path, FALGATE_URL="http://127.0.0.1:9") as gateway:
        known = {
            "FALGATE_URL": gateway.url,
            "FALGATE_ADMIN_KEY": (data / "admin-key").read_text(),
            "FALGATE_DATA_DIR": str(tmp_path / "nothing"),
        }
        yield lambda *arguments, **env: falgate(*arguments, **{**known, **env})
    assert not (tmp_path / "nothing").exists()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nobody listens."""
    with reserved_port() as port:
        yield f"http://127.0.0.1:{port}"


def test_a_gateway_that_is_named_is_asked_and_no_redis_is_opened(remote: Command) -> None:
    assert remote("teams", "create", "web").stdout == "team web is made\n"
    assert remote("apps", "create", "web/shop").returncode == 0
    assert remote("budgets", "set", "team:web", "day", "5").returncode == 0
    made = json.loads(remote("keys", "create", "--app", "web/shop", "--json").stdout)
    assert remote("keys", "revoke", made["key"], "--yes").returncode == 0

    quoted = remote("quote", '{"prompt": "a fox", "quality": "low"}', "--app", "web/shop")
    assert "1 to buy" in quoted.stdout, quoted.stderr
    assert "team:web" in remote("export").stdout or "[team.web]" in remote("export").stdout
    assert remote("ledger", "list", "--limit", "0").returncode == 0
    assert json.loads(remote("cache", "list", "--json").stdout) == []
    lines = json.loads(remote("audit", "--json").stdout)
    assert {line["action"] for line in lines if "cli:" in line["who"]} == {
        *("team", "app", "budget", "key")
    }


def test_a_wrong_key_is_one_sentence_about_the_admin_key(remote: Command) -> None:
    other = remote("keys", "admin").stdout.strip()

    for wrong in (other, "fg_live_x", "fg-admin\n"):
        refused = remote("teams", "list", FALGATE_ADMIN_KEY=wrong)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "FALGATE_ADMIN_KEY" in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_without_a_key_nothing_is_asked(falgate: Command, nowhere: str, tmp_path: Path) -> None:
    refused = falgate("teams", "list", FALGATE_URL=nowhere, FALGATE_DATA_DIR=str(tmp_path))

    assert (refused.returncode, refused.stdout) == (1, "")
    expected = "Error: give FALGATE_ADMIN_KEY as the gateway has it, or an operator's key\n"
    assert refused.stderr == expected


@pytest.mark.parametrize("given", ["nowhere", "ftp://x", "http://[", "http://a b/"])
def test_where_no_gateway_answers_one_sentence_names_the_setting(
    given: str, falgate: Command, nowhere: str
) -> None:
    url = nowhere if given == "nowhere" else given
    refused = falgate("teams", "list", "--url", url, FALGATE_ADMIN_KEY="fg_admin_x")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "FALGATE_URL" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_what_answers_and_is_no_gateway_is_said_to_be_none(falgate: Command) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        refused = falgate("teams", "list", FALGATE_URL=url, FALGATE_ADMIN_KEY="fg_admin_x")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{url} answered 404" in refused.stderr
    assert "FALGATE_URL" in refused.stderr
