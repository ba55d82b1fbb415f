"""SIGHUP: a new certificate is shown to new connections, and no connection is dropped for it."""

import os
import pty
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from patience import PATIENCE_S
from processes import ended

NAMES = ("localhost", "queue.localhost", "127.0.0.1", "::1")

Start = Callable[..., AbstractContextManager[Any]]

# Makes its stdin, a terminal, the one that it belongs to, as a shell in a window does.
IN_A_WINDOW = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.executable, [sys.executable, '-m', 'falgate', 'run'])\n"
)


@pytest.fixture(scope="module")
def gateway(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("reload")
    with start(folder / "data", folder) as serving:
        yield serving


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.02)


def shown(gateway: Any, name: str | None = "localhost") -> bytes:
    """The certificate that a new connection is shown."""
    host, _, port = gateway.tls.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, int(port)), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        certificate = connection.getpeercert(binary_form=True)
    assert certificate
    return certificate


def issue(gateway: Any, key_type: trustme.KeyType = trustme.KeyType.ECDSA) -> bytes:
    """Put another certificate of the same authority in the place of the present one."""
    folder = gateway.data / "tls"
    ca = trustme.CA.from_pem((folder / "ca.pem").read_bytes(), (folder / "ca-key.pem").read_bytes())
    issued = ca.issue_cert(*NAMES, key_type=key_type)
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    (folder / "cert.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())


def hang_up(gateway: Any, event: str) -> None:
    """Send SIGHUP, and wait until it was heard."""
    before = gateway.log.count(event)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.log.count(event) > before, gateway.log)


@pytest.mark.parametrize("kind", [trustme.KeyType.ECDSA, trustme.KeyType.RSA])
def test_a_new_certificate_is_shown_and_connections_are_kept(
    gateway: Any, kind: trustme.KeyType
) -> None:
    trust = ssl.create_default_context(cafile=gateway.bundle)
    with httpx.Client(
        base_url=f"https://{gateway.tls}", verify=trust, trust_env=False, timeout=PATIENCE_S
    ) as client:
        first = client.get("/healthz")
        new = issue(gateway, kind)
        assert shown(gateway) != new
        hang_up(gateway, "tls.reloaded")
        again = client.get("/healthz")
        streams = [each.extensions["network_stream"] for each in (first, again)]
        ends = [stream.get_extra_info("client_addr") for stream in streams]

    # Whatever kind of key the one before had, and whatever the client asks for.
    assert [shown(gateway, name) for name in ("localhost", "queue.localhost", None)] == [new] * 3
    assert first.status_code == again.status_code == 200
    assert ends[0] == ends[1]
    assert (
        httpx.get(f"https://{gateway.tls}/healthz", verify=trust, timeout=PATIENCE_S).status_code
        == 200
    )


@pytest.mark.parametrize("harm", ["junk", "another's key", "away"])
def test_what_is_no_pair_is_not_shown(gateway: Any, harm: str) -> None:
    folder = gateway.data / "tls"
    before = shown(gateway)
    kept = {name: (folder / name).read_bytes() for name in ("cert.pem", "key.pem")}
    issue(gateway)
    if harm == "junk":
        (folder / "cert.pem").write_bytes(b"junk")
    elif harm == "away":
        (folder / "key.pem").unlink()
    else:
        (folder / "key.pem").write_bytes(kept["key.pem"])

    hang_up(gateway, "tls.kept")

    assert shown(gateway) == before
    assert "Traceback" not in gateway.log
    for name, content in kept.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_gateway_on_a_terminal_ends_with_it(
    workers: str, data: Path, listening: dict[str, str], tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    output = tmp_path / "output"
    with output.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", IN_A_WINDOW],
            env={
                **listening,
                "PATH": os.environ["PATH"],
                "FALGATE_DATA_DIR": str(data),
                "FALGATE_WORKERS": workers,
            },
            start_new_session=True,
            stdin=theirs,
            stdout=said,
            stderr=said,
        )
    os.close(theirs)
    with ended(process):
        try:
            wait_until(lambda: "Ctrl-C stops it." in output.read_text(), "It does not serve")
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: "tls.reloaded" in output.read_text(), "A terminal that is there")
        finally:
            os.close(ours)

        assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in output.read_text()
