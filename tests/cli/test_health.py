"""`falgate health`: asks the gateway where its own settings say that it is."""

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]


def test_a_gateway_that_serves_is_alive_and_one_that_is_gone_is_not(
    data: Path, start: Start, falgate: Command, tmp_path: Path
) -> None:
    with start(data, tmp_path) as gateway:
        # With what a container has in its environment, and a proxy that must not be asked.
        env = {
            "FALGATE_LISTEN": gateway.url.removeprefix("http://"),
            "FALGATE_TLS_LISTEN": "0.0.0.0:8443",
            "FAL_KEY": "",
            "HTTP_PROXY": "http://127.0.0.1:1",
        }
        alive = falgate("health", **env)
    gone = falgate("health", **env)

    assert (alive.returncode, alive.stdout) == (0, "alive\n"), alive.stderr
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith(f"Error: {gateway.url}/healthz does not answer (ConnectError)")


@pytest.mark.parametrize(
    ("listen", "asked"),
    [
        ("0.0.0.0:1", "127.0.0.1:1"),
        ("[::]:1", "[::1]:1"),
        ("*:1", "[::1]:1"),
        ("localhost:1", "localhost:1"),
    ],
)
def test_a_gateway_that_listens_everywhere_is_asked_here_by_number(
    listen: str, asked: str, falgate: Command
) -> None:
    done = falgate("health", FALGATE_LISTEN=listen)

    assert done.returncode == 1
    assert f"http://{asked}/healthz" in done.stderr
