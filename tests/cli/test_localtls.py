"""The local authority: clients that are told of it trust it, and its files mend themselves."""

import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import httpx
import pytest
import trustme
import uvicorn
from litestar import Litestar, get
from patience import PATIENCE_S

from falgate.cli import localtls
from falgate.cli.localtls import LocalTls, ensure

FILES = {"bundle.pem", "ca-key.pem", "ca.pem", "cert.pem", "key.pem", "lock"}


@get("/")
async def hello() -> str:
    return "hello"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalTls:
    return ensure(tmp_path_factory.mktemp("made") / "tls")


@pytest.fixture(scope="module")
def port(made: LocalTls) -> Iterator[int]:
    """A server with the certificate."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                Litestar([hello]),
                log_level="critical",
                lifespan="off",
                ssl_certfile=made.cert,
                ssl_keyfile=str(made.key),
            )
        )
        serving = threading.Thread(target=server.run, args=([listening],))
        serving.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            serving.join()


@pytest.fixture
def tls(made: LocalTls, tmp_path: Path) -> LocalTls:
    """A copy of the files to damage."""
    copy = tmp_path / "tls"
    shutil.copytree(made.cert.parent, copy)
    return LocalTls(copy / "cert.pem", copy / "key.pem", copy / "ca.pem", copy / "bundle.pem")


@pytest.mark.parametrize("name", ["localhost", "queue.localhost", "127.0.0.1", "::1"])
def test_a_client_with_the_bundle_trusts_every_name(made: LocalTls, port: int, name: str) -> None:
    trust = ssl.create_default_context(cafile=str(made.bundle))
    with httpx.Client(verify=trust, trust_env=False, timeout=PATIENCE_S) as client:
        answer = client.get(f"https://127.0.0.1:{port}/", extensions={"sni_hostname": name})
    assert answer.text == "hello"


@pytest.mark.parametrize("name", ["fal.run", "evil.localhost", "127.0.0.2"])
def test_no_other_name_is_vouched_for(made: LocalTls, port: int, name: str) -> None:
    trust = ssl.create_default_context(cafile=str(made.bundle))
    with (
        httpx.Client(verify=trust, trust_env=False, timeout=PATIENCE_S) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"https://127.0.0.1:{port}/", extensions={"sni_hostname": name})


def test_the_environment_is_enough_for_a_client(
    made: LocalTls, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.bundle))
    assert httpx.get(f"https://localhost:{port}/", timeout=PATIENCE_S).text == "hello"


def test_a_client_that_was_told_nothing_refuses(port: int) -> None:
    with (
        httpx.Client(trust_env=False, timeout=PATIENCE_S) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"https://127.0.0.1:{port}/")


def test_the_bundle_trusts_the_public_authorities_too(made: LocalTls) -> None:
    bundle = made.bundle.read_bytes()
    assert bundle == made.ca.read_bytes() + Path(certifi.where()).read_bytes()
    assert made.ca.read_bytes().count(b"BEGIN CERTIFICATE") == 1


def test_nobody_else_can_read_the_keys(made: LocalTls) -> None:
    directory = made.cert.parent
    assert {path.name for path in directory.iterdir()} == FILES
    assert directory.stat().st_mode & 0o777 == 0o700
    for key in (made.key, directory / "ca-key.pem"):
        assert key.stat().st_mode & 0o777 == 0o600


def test_a_second_time_changes_nothing(tls: LocalTls) -> None:
    before = contents(tls)
    assert ensure(tls.cert.parent) == tls
    assert contents(tls) == before


def contents(tls: LocalTls) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tls.cert.parent.iterdir()}


@pytest.mark.parametrize("name", ["cert.pem", "key.pem"])
@pytest.mark.parametrize("damage", ["missing", "empty", "torn", "rubbish"])
def test_a_damaged_certificate_is_issued_anew_by_the_same_authority(
    tls: LocalTls, name: str, damage: str
) -> None:
    before = contents(tls)
    spoil(tls.cert.with_name(name), damage)
    ensure(tls.cert.parent)
    after = contents(tls)
    assert {name for name in FILES if before[name] != after[name]} == {"cert.pem", "key.pem"}
    works(tls)


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem"])
@pytest.mark.parametrize("damage", ["missing", "empty", "torn", "rubbish"])
def test_a_damaged_authority_is_made_anew_when_it_is_needed(
    tls: LocalTls, name: str, damage: str
) -> None:
    before = contents(tls)
    spoil(tls.cert.with_name(name), damage)
    tls.cert.unlink()
    ensure(tls.cert.parent)
    after = contents(tls)
    assert {name for name in FILES if before[name] != after[name]} == FILES - {"lock"}
    works(tls)


def spoil(path: Path, damage: str) -> None:
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes({"empty": b"", "torn": whole[: len(whole) // 2], "rubbish": b"x"}[damage])


def works(tls: LocalTls) -> None:
    """A handshake of the system's own, with the bundle."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tls.cert, tls.key)
    client = ssl.create_default_context(cafile=str(tls.bundle))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up, server_hostname="localhost")
    answering = server.wrap_bio(up, down, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        asking.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        answering.do_handshake()
    asking.do_handshake()
    answering.do_handshake()


def test_an_authority_whose_files_are_no_pair_is_made_anew(tls: LocalTls) -> None:
    stranger = trustme.CA()
    tls.ca.with_name("ca-key.pem").write_bytes(stranger.private_key_pem.bytes())
    before = contents(tls)
    tls.cert.unlink()
    ensure(tls.cert.parent)
    assert contents(tls)["ca.pem"] != before["ca.pem"]
    works(tls)


def test_a_certificate_of_another_authority_is_replaced(tls: LocalTls) -> None:
    stranger = trustme.CA().issue_cert(*localtls.NAMES)
    tls.cert.write_bytes(stranger.cert_chain_pems[0].bytes())
    tls.key.write_bytes(stranger.private_key_pem.bytes())
    ensure(tls.cert.parent)
    works(tls)


def test_a_certificate_without_one_of_the_names_is_replaced(tls: LocalTls) -> None:
    reissue(tls, "localhost", "127.0.0.1", "::1")
    before = tls.cert.read_bytes()
    ensure(tls.cert.parent)
    assert tls.cert.read_bytes() != before


def reissue(tls: LocalTls, *names: str, valid_days: int = 400) -> None:
    authority = trustme.CA.from_pem(
        tls.ca.read_bytes(), tls.ca.with_name("ca-key.pem").read_bytes()
    )
    now = datetime.now(tz=UTC).replace(tzinfo=None)
    issued = authority.issue_cert(*names, not_after=now + timedelta(days=valid_days))
    tls.cert.write_bytes(issued.cert_chain_pems[0].bytes())
    tls.key.write_bytes(issued.private_key_pem.bytes())


@pytest.mark.parametrize(("valid_days", "kept"), [(-1, False), (29, False), (31, True)])
def test_a_certificate_is_replaced_before_it_expires(
    tls: LocalTls, valid_days: int, kept: bool
) -> None:
    reissue(tls, *localtls.NAMES, valid_days=valid_days)
    before = contents(tls)
    ensure(tls.cert.parent)
    after = contents(tls)
    assert (before["cert.pem"] == after["cert.pem"]) is kept
    assert before["ca.pem"] == after["ca.pem"]


def test_a_bundle_of_older_public_authorities_is_brought_up_to_date(tls: LocalTls) -> None:
    whole = tls.bundle.read_bytes()
    tls.bundle.write_bytes(whole[:-5000])
    ensure(tls.cert.parent)
    assert tls.bundle.read_bytes() == whole


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from falgate.cli.localtls import ensure;"
        "print(ensure(Path(sys.argv[1])).cert.read_text())"
    )
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "tls")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in racing}) == 1
    assert all(process.returncode == 0 for process in racing)


def test_a_directory_that_cannot_be_written_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=str(tmp_path / "file")):
        ensure(tmp_path / "file" / "tls")
