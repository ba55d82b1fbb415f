"""The commands' own words, and the sandbox by itself."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner
from forking import popen
from patience import PATIENCE_S
from processes import ended, reserved_port

from falgate import __version__
from falgate.cli.main import COMMANDS, EXPECTED, main
from falgate.settings import Settings

Falgate = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_version_is_told(falgate: Falgate) -> None:
    assert falgate("--version").stdout == f"falgate, version {__version__}\n"


def test_help_names_every_command(falgate: Falgate) -> None:
    said = falgate("--help").stdout

    for command in ("run", "serve", "keys", "sandbox"):
        assert f"\n  {command} " in said


def test_each_command_and_each_expected_failure_is_where_it_is_looked_for() -> None:
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert command.name == name
    for module, name in EXPECTED.items():
        assert issubclass(getattr(import_module(f"falgate.{module}"), name), Exception)


def test_a_command_that_is_not_named_is_not_loaded() -> None:
    loaded = "import sys, falgate.cli.main; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert "falgate.cli.main" in said.stdout.split()
    heavy = {"falgate.cli.serve", "falgate.settings", "litestar", "httpx", "redis", "rich", "PIL"}
    heavy |= {"pydantic", "cryptography"}
    assert heavy.isdisjoint(said.stdout.split())


def test_a_command_about_a_gateway_elsewhere_loads_no_web_framework_and_no_redis() -> None:
    loaded = "import sys, falgate.cli.teams, falgate.cli.budgets; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert {"litestar", "redis", "pydantic", "PIL"}.isdisjoint(said.stdout.split())


def test_a_gateway_loads_only_what_every_gateway_needs() -> None:
    """The rest is loaded by the first invalid body, purchase, signature, bucket or test key."""
    loaded = "import sys, falgate.cli.serve; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())

    assert "falgate.http.fastpath" in modules
    for name in ("pydantic_core", "PIL.Image", "cryptography.hazmat", "obstore", "trustme"):
        assert name not in modules
    assert not any(name.startswith("falgate.sandbox") for name in modules)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str, falgate: Falgate) -> None:
    done = falgate("completion", shell)

    assert done.returncode == 0
    assert "_FALGATE_COMPLETE" in done.stdout


def test_commands_are_completed() -> None:
    env = {"_FALGATE_COMPLETE": "bash_complete", "COMP_WORDS": "falgate bud", "COMP_CWORD": "1"}
    done = CliRunner().invoke(main, [], prog_name="falgate", env=env)

    assert done.stdout == "plain,budgets\n"


def test_help_of_serve_lists_every_setting_with_its_meaning(falgate: Falgate) -> None:
    said = falgate("serve", "--help").stdout

    settings = [line.strip() for line in said.splitlines() if "    FALGATE_" in line]
    assert [line.partition(":")[0].split()[0] for line in settings] == [
        f"FALGATE_{name.upper()}" for name in Settings.__struct_fields__
    ]
    assert all(len(line.partition(": ")[2]) >= len("lowest level to log") for line in settings)


def test_a_command_ends_quietly_when_nobody_reads_its_output_any_more(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with (tmp_path / "err").open("wb") as err, os.fdopen(writes, "wb") as out:
        process = popen(["completion", "bash"], env={"PATH": os.defpath}, stdout=out, stderr=err)
        assert process.wait(PATIENCE_S) == 1

    assert (tmp_path / "err").read_bytes() == b""


def test_an_unknown_command_is_an_error(falgate: Falgate) -> None:
    done = falgate("sevre")

    assert done.returncode != 0
    assert "No such command 'sevre'" in done.stderr


@pytest.fixture
def port() -> Iterator[int]:
    with reserved_port() as number:
        yield number


def test_the_sandbox_serves_and_keeps_its_books(port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "falgate", "sandbox", "--port", str(port)]
    with ended(
        subprocess.Popen([*command, "--data", tmp_path / "s"], stdout=subprocess.PIPE, text=True)
    ) as sandbox:
        try:
            url = f"http://127.0.0.1:{port}"
            deadline_s = time.monotonic() + PATIENCE_S
            while True:
                try:
                    httpx.get(f"{url}/sandbox/dials", timeout=PATIENCE_S).raise_for_status()
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline_s
                    time.sleep(0.05)
            answer = httpx.post(
                f"{url}/run/fal-ai/gpt-image-1.5",
                json={"prompt": "a fox", "quality": "low"},
                headers={"Authorization": "Key id:secret"},
                timeout=PATIENCE_S,
            )
            books = httpx.get(f"{url}/sandbox/books", timeout=PATIENCE_S).json()
        finally:
            sandbox.send_signal(signal.SIGINT)
        said, _ = sandbox.communicate(timeout=PATIENCE_S)
    assert len(answer.json()["images"]) == 1
    assert books["accepted"] == 1
    assert len(list((tmp_path / "s").glob("*.json"))) == 1
    assert url in said


def test_a_sandbox_whose_port_is_taken_says_so_without_a_traceback(falgate: Falgate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = falgate("sandbox", "--port", port)

    assert done.returncode != 0
    assert port in done.stderr
    assert "Traceback" not in done.stderr
