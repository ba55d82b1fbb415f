"""What stops a start is one line that says what to do, and nothing stays behind."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.accounts import apikey

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]

REAL = {"FALGATE_LISTEN": "127.0.0.1:1", "FALGATE_DATA_DIR": "/proc/nowhere"}
OURS = apikey.mint("live", bytes(8), bytes(range(32)))


def complaint(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line that a start ended with."""
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "unknown": ({"FALGATE_LISTNE": "x"}, "FALGATE_LISTNE (FALGATE_LISTEN?): no such setting; `"),
    "not a number": ({"FALGATE_LEASE_S": "soon"}, "FALGATE_LEASE_S: Expected `int`"),
    "no time": ({"FALGATE_LEASE_S": "0"}, "FALGATE_LEASE_S: Expected `int` >= 1"),
    "no address": ({"FALGATE_LISTEN": "8080"}, "FALGATE_LISTEN: '8080' is not host:port"),
    "no zone": ({"FALGATE_TIMEZONE": "Mars/Base"}, "FALGATE_TIMEZONE: unknown IANA time zone"),
    "no money": ({"FALGATE_ORG_DAILY_USD": "ten"}, "FALGATE_ORG_DAILY_USD: 'ten' is not an amount"),
    "no fal key": ({}, "FAL_KEY is not set: set your fal key, or FALGATE_UPSTREAM_URL=sandbox"),
    "our key": ({"FAL_KEY": OURS}, "FAL_KEY is a falgate key, not a fal key: unset it"),
    "no certificate": (
        {"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_TLS_LISTEN": "127.0.0.1:2"},
        "FALGATE_TLS_LISTEN needs FALGATE_TLS_CERT and FALGATE_TLS_KEY",
    ),
    "certificate missing": (
        {
            "FALGATE_UPSTREAM_URL": "sandbox",
            "FALGATE_TLS_LISTEN": "127.0.0.1:2",
            "FALGATE_TLS_CERT": "/proc/nowhere",
            "FALGATE_TLS_KEY": "/proc/nowhere",
        },
        "FALGATE_TLS_CERT and FALGATE_TLS_KEY must be the PEM files",
    ),
}


@pytest.mark.parametrize(("given", "said"), SETTINGS.values(), ids=SETTINGS)
def test_a_wrong_setting_stops_the_start(
    given: dict[str, str], said: str, falgate: Command
) -> None:
    line = complaint(falgate("serve", **{**REAL, **given}))

    assert line.startswith(f"Error: {said}")
    assert OURS not in line


def test_a_service_called_falgate_stops_neither_the_start_nor_a_command(
    data: Path, start: Start, falgate: Command, tmp_path: Path
) -> None:
    links = {"FALGATE_PORT": "tcp://10.0.0.7:8080", "FALGATE_REDIS_SERVICE_HOST": "10.0.0.7"}

    with start(data, tmp_path, **links) as gateway:
        listed = falgate("teams", "list", FALGATE_DATA_DIR=str(data), **links)

    lines = [line for line in gateway.log.splitlines() if "service_links" in line]
    assert (listed.returncode, len(lines)) == (0, 1), listed.stderr
    assert all(name in lines[0] for name in links)


@pytest.mark.parametrize("proxy", ["socks5://u:hunter2@proxy.corp:1080", "u:hunter2#@proxy:1"])
def test_what_cannot_be_a_proxy_stops_the_start_with_its_variable(
    proxy: str, falgate: Command, listening: dict[str, str], tmp_path: Path
) -> None:
    where = {
        "FALGATE_LISTEN": listening["FALGATE_LISTEN"],
        "FALGATE_DATA_DIR": str(tmp_path),
        "FAL_KEY": "id:secret",
    }
    line = complaint(falgate("serve", **where, HTTPS_PROXY=proxy))

    assert line.startswith("Error: HTTPS_PROXY: not ")
    assert "hunter2" not in line


@pytest.mark.parametrize("holds", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_named_with_their_variable(
    holds: str | None, falgate: Command, listening: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "authorities.pem"
    if holds:
        file.write_text(holds)
    where = {"FALGATE_LISTEN": listening["FALGATE_LISTEN"], "FALGATE_DATA_DIR": str(tmp_path)}
    line = complaint(falgate("serve", **where, FAL_KEY="id:secret", SSL_CERT_FILE=str(file)))

    assert line.startswith(f"Error: SSL_CERT_FILE={file}: no certificates can be read there (")


def test_a_redis_that_is_not_there_is_named_without_its_password(
    falgate: Command, listening: dict[str, str], tmp_path: Path
) -> None:
    line = complaint(
        falgate(
            "serve",
            FALGATE_LISTEN=listening["FALGATE_LISTEN"],
            FALGATE_UPSTREAM_URL="sandbox",
            FALGATE_DATA_DIR=str(tmp_path),
            FALGATE_REDIS_URL="redis://user:hunter2@127.0.0.1:1/0",
        )
    )

    assert "Redis at 127.0.0.1:1 does not answer" in line
    assert "FALGATE_REDIS_URL" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("command", [("serve",), ("keys", "list")])
def test_an_address_of_redis_that_cannot_be_used_is_one_line_for_every_command(
    command: tuple[str, ...], falgate: Command, listening: dict[str, str], tmp_path: Path
) -> None:
    where = {"FALGATE_LISTEN": listening["FALGATE_LISTEN"], "FALGATE_DATA_DIR": str(tmp_path)}
    redis_url = "redis://:hunter2@127.0.0.1:6379?ssl_cert_reqs=none"
    more = {"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_REDIS_URL": redis_url}
    line = complaint(falgate(*command, **where, **more))

    assert line.startswith("Error: FALGATE_REDIS_URL: ssl_cert_reqs is for rediss:// only")
    assert "hunter2" not in line


def test_a_command_without_redis_names_it_and_what_to_do(falgate: Command) -> None:
    line = complaint(falgate("teams", "list", FALGATE_REDIS_URL="redis://:hunter2@127.0.0.1:1/0"))

    assert "Redis at 127.0.0.1:1 does not answer" in line
    assert "set FALGATE_REDIS_URL" in line
    assert "hunter2" not in line


@pytest.mark.parametrize("name", ["FALGATE_LISTEN", "FALGATE_TLS_LISTEN"])
def test_a_port_in_use_is_named_with_its_setting(
    name: str, data: Path, falgate: Command, listening: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = {**listening, name: address, "FALGATE_DATA_DIR": str(data)}
        line = complaint(falgate("run", **settings))

    assert line == (
        f"Error: Cannot listen on {address} (Address already in use): stop what uses it, "
        f"or set {name} to another host:port\n"
    )


@pytest.mark.parametrize("command", ["run", "serve"])
def test_a_data_directory_that_cannot_be_written_is_named(
    command: str, falgate: Command, listening: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = {
        "FALGATE_LISTEN": listening["FALGATE_LISTEN"],
        "FALGATE_DATA_DIR": str(tmp_path / "file" / "data"),
        "FALGATE_UPSTREAM_URL": "sandbox",
    }

    line = complaint(falgate(command, **settings))

    assert settings["FALGATE_DATA_DIR"] in line
    assert "FALGATE_DATA_DIR" in line


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory, start: Start) -> Path:
    """The data directory of a gateway that served and was stopped."""
    folder = tmp_path_factory.mktemp("used")
    with start(folder / "data", folder):
        pass
    return folder / "data"


@pytest.fixture
def damaged(used: Path, data: Path) -> Path:
    """A copy of it to be damaged."""
    shutil.copytree(used, data)
    return data


def junk(path: Path) -> None:
    path.write_bytes(bytes(range(255, 0, -1)))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def away(path: Path) -> None:
    path.unlink()


NOTES = ["app-key", "admin-key"]
CERTIFICATE = [f"tls/{name}.pem" for name in ("cert", "key", "ca", "bundle", "ca-key")]
REPAIRED = {
    "junk": (junk, [*NOTES, *CERTIFICATE]),
    "emptied": (emptied, [*NOTES, *CERTIFICATE, "ledger-id"]),
    "away": (away, [*NOTES, *CERTIFICATE, "ledger-id"]),
}


@pytest.mark.parametrize(("harm", "names"), REPAIRED.values(), ids=REPAIRED)
def test_small_damage_is_repaired(
    harm: Callable[[Path], None], names: list[str], damaged: Path, start: Start, tmp_path: Path
) -> None:
    ledger_id = (damaged / "ledger-id").read_text()
    for name in names:
        harm(damaged / name)

    with start(damaged, tmp_path) as gateway:
        assert apikey.present(gateway.key)
        assert gateway.key in gateway.banner
        trust = ssl.create_default_context(cafile=gateway.bundle)
        assert (
            httpx.get(
                f"https://{gateway.tls}/healthz", verify=trust, timeout=PATIENCE_S
            ).status_code
            == 200
        )

    assert apikey.present((damaged / "admin-key").read_text().strip())
    assert (damaged / "ledger-id").read_text() == ledger_id


def test_a_server_that_was_killed_in_a_write_starts_again(
    damaged: Path, start: Start, tmp_path: Path
) -> None:
    (log,) = (damaged / "redis" / "appendonlydir").glob("*.incr.aof")
    os.truncate(log, log.stat().st_size - 5)

    with start(damaged, tmp_path) as gateway:
        assert "Ctrl-C" in gateway.banner


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def file(path: Path) -> None:
    shutil.rmtree(path)
    path.touch()


def gone(path: Path) -> None:
    shutil.rmtree(path)


def garbled(path: Path) -> None:
    for each in path.iterdir():
        junk(each)


Damage = tuple[Callable[[Path], None], str, str]
REFUSED: dict[str, Damage] = {
    **{
        f"{name} is a folder": (folder, name, f"/{name} (Is a directory): move it away, or give FA")
        for name in ("app-key", "admin-key", "ledger-id", "tls/cert.pem")
    },
    "redis is a file": (file, "redis", "/redis: File exists. Give falgate a directory that"),
    "media is a file": (file, "media", "/media cannot be used as picture store: move away what is"),
    "tls is a file": (file, "tls", "/tls (File exists): move it away, or give FALGATE_DATA_DIR"),
    "sandbox is a file": (file, "sandbox", "/sandbox (File exists): move it away, or give FALGATE"),
    "the money is gone": (gone, "redis", "Redis no longer holds the ledger that was known here ("),
    "the money is junk": (garbled, "redis/appendonlydir", "cannot read its append-only file: rest"),
    "the ledger's id is junk": (junk, "ledger-id", "/ledger-id to use what Redis has now"),
}


@pytest.mark.parametrize("damage", REFUSED.values(), ids=REFUSED)
def test_what_a_person_must_decide_about_is_one_line(
    damage: Damage, damaged: Path, falgate: Command, listening: dict[str, str]
) -> None:
    harm, name, said = damage
    harm(damaged / name)

    line = complaint(falgate("run", FALGATE_DATA_DIR=str(damaged), **listening))

    assert said in line
    assert str(damaged) in line
