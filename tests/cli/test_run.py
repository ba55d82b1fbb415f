"""`falgate run`: what it makes it keeps, who it buys from is said, and no secret leaves it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S
from processes import ended

from falgate.cli.run import https_listen

MODEL = "fal-ai/gpt-image-1.5"
PROMPT = "a fox that nobody else may hear of"
FAL_SECRET = "9f2c7d11e0"

Start = Callable[..., AbstractContextManager[Any]]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


def ask(gateway: Any, **arguments: Any) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/{MODEL}",
        json={"prompt": PROMPT, "quality": "low", **arguments},
        headers={"Authorization": f"Key {gateway.key}"},
        timeout=PATIENCE_S,
    )


def listening_ports(process_id: int) -> set[int]:
    """The TCP ports that a process listens on."""
    own = set()
    for file in Path(f"/proc/{process_id}/fd").iterdir():
        with suppress(OSError):
            own.add(str(file.readlink()))
    tables = (Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6"))
    lines = (line.split() for table in tables for line in table)
    return {
        int(line[1].rpartition(":")[2], 16)
        for line in lines
        if line[3] == "0A" and f"socket:[{line[9]}]" in own
    }


def test_a_second_start_keeps_keys_money_and_pictures(
    data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path) as first:
        bought = ask(first)
        assert bought.headers["x-falgate-cache"] == "miss"
        keys = [(data / name).read_text() for name in ("app-key", "admin-key")]

    with start(data, tmp_path) as second:
        assert [(data / name).read_text() for name in ("app-key", "admin-key")] == keys
        found = ask(second)
        assert found.headers["x-falgate-cache"] == "hit"
        assert f"${bought.headers['x-falgate-cost-usd']} spent" in second.banner
        (image,) = found.json()["images"]
        assert httpx.get(image["url"], timeout=PATIENCE_S).status_code == 200


def test_a_revoked_first_key_is_replaced_at_the_next_start(
    data: Path, start: Start, falgate: Command, tmp_path: Path
) -> None:
    with start(data, tmp_path) as first:
        revoked = first.key
        falgate("keys", "revoke", revoked, "--yes", FALGATE_DATA_DIR=str(data))

    with start(data, tmp_path) as second:
        assert second.key != revoked
        assert ask(second).status_code == 200


@pytest.fixture
def upstream(listening: dict[str, str]) -> Iterator[str]:
    """A sandbox in a process of its own, which keeps books."""
    address = listening["FALGATE_LISTEN"]
    command = [sys.executable, "-m", "falgate", "sandbox", "--port", address.rpartition(":")[2]]
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL)) as process:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx.get(f"http://{address}/sandbox/dials", timeout=PATIENCE_S).raise_for_status()
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline_s
                time.sleep(0.05)
        yield f"http://{address}"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("name", ["FAL_KEY", "FALGATE_FAL_KEY"])
def test_with_fals_key_it_buys_from_the_upstream_that_is_given(
    name: str, data: Path, start: Start, upstream: str, tmp_path: Path
) -> None:
    settings = {name: f"id:{FAL_SECRET}", "FALGATE_UPSTREAM_URL": f"{upstream}/queue"}
    with start(data, tmp_path, **settings) as gateway:
        assert f"{upstream}/queue: real money, where it is fal's" in gateway.banner
        assert "$10.00 a day" in gateway.banner
        answer = ask(gateway)

    assert answer.headers["x-falgate-cache"] == "miss"
    books = httpx.get(f"{upstream}/sandbox/books", timeout=PATIENCE_S).json()
    assert books["accepted"] == 1
    assert books["submits"][0]["input"]["prompt"] == PROMPT


def test_no_secret_and_no_prompt_reaches_a_log(
    data: Path, start: Start, upstream: str, tmp_path: Path
) -> None:
    settings = {
        "FAL_KEY": f"id:{FAL_SECRET}",
        "FALGATE_UPSTREAM_URL": f"{upstream}/queue",
        "FALGATE_LOG_LEVEL": "debug",
    }
    with start(data, tmp_path, **settings) as gateway:
        assert [ask(gateway).status_code, ask(gateway, num_images=9).status_code] == [200, 422]
        for outcome in ("content_policy_violation", "internal_server_error", "too_few"):
            httpx.post(
                f"{upstream}/sandbox/dials", json={"outcome": outcome}, timeout=PATIENCE_S
            ).raise_for_status()
            ask(gateway, num_images=2)
        key, admin = gateway.key, (data / "admin-key").read_text().strip()

    assert '"job.settled"' in gateway.log
    server_log = (data / "redis" / "server.log").read_text()
    for secret in (key.split("_")[3], admin.split("_")[3], FAL_SECRET, PROMPT):
        assert secret not in gateway.log
        assert secret not in server_log


def test_what_it_makes_is_for_its_owner_only(data: Path, start: Start, tmp_path: Path) -> None:
    with start(data, tmp_path):
        modes = {
            path.relative_to(data).as_posix(): path.stat().st_mode & 0o77
            for path in (data, data / "app-key", data / "admin-key", *(data / "tls").iterdir())
        }

    assert {name for name, mode in modes.items() if mode} <= {"tls/lock"}


def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing_behind(
    data: Path, listening: dict[str, str], tmp_path: Path
) -> None:
    """The moment when the embedded Redis is there and nobody has been told."""
    output = tmp_path / "output"
    with output.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "falgate", "run"],
            env={**listening, "FALGATE_DATA_DIR": str(data)},
            stdout=said,
            stderr=said,
        )
    with ended(process):
        deadline_s = time.monotonic() + PATIENCE_S
        while not (data / "redis" / "lock").exists():
            assert time.monotonic() < deadline_s
            assert process.poll() is None, output.read_text()
        process.send_signal(signal.SIGINT)

        assert process.wait(PATIENCE_S) in {0, 1}  # 0 where it was as quick as the signal
    assert "Traceback" not in output.read_text()


def test_who_connects_to_https_and_says_nothing_is_cut_like_on_http(
    data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path, FALGATE_HEADER_TIMEOUT_S="1") as gateway:
        host, _, port = gateway.tls.rpartition(":")
        # A handshake's own limit is a minute; this socket waits for half of that.
        with socket.create_connection((host, int(port)), timeout=30) as silent:
            assert silent.recv(1) == b""


def test_without_an_address_for_https_there_is_none(
    data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path, FALGATE_TLS_LISTEN="") as gateway:
        assert f"falgate serves {gateway.url}\n" in gateway.banner
        assert "https://localhost" not in gateway.banner
        assert "fal_client speaks only https, which FALGATE_TLS_LISTEN= turned" in gateway.banner
        assert not (data / "tls").exists()
        assert listening_ports(gateway.process.pid) == {int(gateway.url.rpartition(":")[2])}


@pytest.mark.parametrize(
    ("http", "https"),
    [
        ("", "localhost:8443"),
        ("127.0.0.1:1", "localhost:8443"),
        ("0.0.0.0:1", "0.0.0.0:8443"),
        ("[::]:1", "[::]:8443"),
        ("*:1", "[::]:8443"),
    ],
)
def test_https_is_open_to_others_where_http_is(http: str, https: str) -> None:
    assert https_listen({"FALGATE_LISTEN": http}) == https
