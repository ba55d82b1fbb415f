"""Worker processes as one command: it starts, says, reloads and fails as one process does."""

import errno
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from crew import workers_of
from patience import PATIENCE_S

Start = Callable[..., AbstractContextManager[Any]]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


def servers_of(data: Path) -> list[str]:
    """The processes whose command names the socket of a data directory's Redis."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command = (each / "cmdline").read_bytes()
        except OSError:
            continue
        if b"valkey-server" in command and os.fsencode(data) in command:
            found.append(each.name)
    return found


def test_one_redis_is_started_for_all_and_the_keys_are_said_once(
    data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path, FALGATE_WORKERS="3") as gateway:
        assert len(workers_of(gateway)) == 3
        assert len(servers_of(data)) == 1
        for word in ("falgate serves", "app key", "admin key", gateway.key):
            lines = [line for line in gateway.banner.splitlines() if word in line]
            assert lines, word
        assert gateway.banner.count("app key ") == 1
        headers = {"Authorization": f"Key {(data / 'admin-key').read_text().strip()}"}
        noted = httpx.get(
            f"{gateway.url}/admin/v1/audit", headers=headers, timeout=PATIENCE_S
        ).json()
        actions = [(each["action"], each["subject"]) for each in noted["items"]]
        assert len(actions) == len(set(actions)), actions
    assert servers_of(data) == []


def test_one_worker_needs_no_process_besides_its_own(
    data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path, FALGATE_WORKERS="1") as gateway:
        commands = [Path(f"/proc/{each}/cmdline").read_bytes() for each in workers_of(gateway)]

    assert [b"valkey-server" in command for command in commands] == [True]


@pytest.mark.parametrize("number", ["0", "65", "-1", "two", "1.5"])
def test_a_number_of_workers_that_cannot_be_stops_the_start(number: str, falgate: Command) -> None:
    done = falgate("serve", FALGATE_UPSTREAM_URL="sandbox", FALGATE_WORKERS=number)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: FALGATE_WORKERS: Expected `int`")


def test_a_port_that_another_falgate_has_is_refused_though_its_workers_share_it(
    data: Path, start: Start, falgate: Command, tmp_path: Path
) -> None:
    with start(data, tmp_path, FALGATE_WORKERS="2") as gateway:
        for workers in ("1", "2"):
            done = falgate(
                "serve",
                FALGATE_UPSTREAM_URL="sandbox",
                FALGATE_DATA_DIR=str(tmp_path / "other"),
                FALGATE_LISTEN=gateway.url.removeprefix("http://"),
                FALGATE_WORKERS=workers,
            )
            assert done.returncode == 1
            assert done.stderr.startswith("Error: Cannot listen on "), done.stderr
            assert done.stderr.count("\n") == 1
        assert httpx.get(f"{gateway.url}/healthz", timeout=PATIENCE_S).status_code == 200


def test_what_stops_the_start_of_one_stops_that_of_all_and_is_said_once(
    falgate: Command, closed_port_url: str, data: Path, listening: dict[str, str]
) -> None:
    done = falgate(
        "serve",
        FALGATE_UPSTREAM_URL="sandbox",
        FALGATE_DATA_DIR=str(data),
        FALGATE_LISTEN=listening["FALGATE_LISTEN"],
        FALGATE_REDIS_URL=closed_port_url,
        FALGATE_WORKERS="2",
    )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: Redis at "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    with socket.socket() as caller:
        host, _, port = listening["FALGATE_LISTEN"].partition(":")
        assert caller.connect_ex((host, int(port))) == errno.ECONNREFUSED


def test_a_folder_that_is_too_deep_for_sockets_stops_the_start(
    falgate: Command, data: Path, listening: dict[str, str], tmp_path: Path
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    done = falgate(
        "serve",
        FALGATE_UPSTREAM_URL="sandbox",
        FALGATE_DATA_DIR=str(data),
        FALGATE_LISTEN=listening["FALGATE_LISTEN"],
        FALGATE_WORKERS="2",
        TMPDIR=str(deep),
    )

    assert done.returncode == 1
    assert (
        done.stderr
        == f"Error: {deep} is too long a path for sockets: set TMPDIR to a shorter one\n"
    )


def shown(gateway: Any) -> set[bytes]:
    """The certificates that new connections are shown, of as many as reach all workers."""
    host, _, port = gateway.tls.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    found = set()
    for _ in range(20):
        with (
            socket.create_connection((host, int(port)), timeout=PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            found.add(connection.getpeercert(binary_form=True) or b"")
    return found


def test_a_new_certificate_is_shown_by_each_worker_after_one_signal(
    data: Path, start: Start, tmp_path: Path
) -> None:
    with start(data, tmp_path, FALGATE_WORKERS="2") as gateway:
        (old,) = shown(gateway)
        folder = data / "tls"
        ca = trustme.CA.from_pem(
            (folder / "ca.pem").read_bytes(), (folder / "ca-key.pem").read_bytes()
        )
        issued = ca.issue_cert("localhost")
        (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
        (folder / "cert.pem").write_bytes(issued.cert_chain_pems[0].bytes())
        gateway.process.send_signal(signal.SIGHUP)
        end_s = time.monotonic() + PATIENCE_S
        while gateway.log.count("tls.reloaded") < 2:
            assert time.monotonic() < end_s, gateway.log
            time.sleep(0.02)

        (new,) = shown(gateway)

    assert new != old
    assert new == ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
