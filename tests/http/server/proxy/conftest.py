"""A real nginx in front of the server: kept connections to it, with and without WebSocket lines."""

import asyncio
import socket
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from patience import PATIENCE_S
from plain_nginx import MAIN, program

START_S, LOOK_S = PATIENCE_S, 0.02

HTTP = """
    # A client that never ends its request is what some cases are.
    client_header_timeout 300ms;
    client_body_timeout 300ms;
    lingering_timeout 100ms;
    keepalive_requests 100000;
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
"""
SERVER = """
    upstream u{number} {{ server 127.0.0.1:{port}; keepalive 8; keepalive_requests 100000; }}
    server {{
        listen unix:{socket};
        location / {{
            proxy_pass http://u{number};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_request_buffering {buffering};
            {lines}
        }}
    }}
"""
# The second is what the documentation of many applications has.
LINES = {
    "plain": 'proxy_set_header Connection "";',
    "websocket": "proxy_set_header Upgrade $http_upgrade; "
    "proxy_set_header Connection $connection_upgrade;",
}
WAYS = [(lines, buffering) for lines in LINES for buffering in ("on", "off")]


async def _until_up(process: Process, sockets: list[Path]) -> None:
    waited_s = 0.0
    while not all(map(_answers, sockets)):
        assert process.returncode is None, "nginx has said why it did not start"
        assert waited_s < START_S
        await asyncio.sleep(LOOK_S)
        waited_s += LOOK_S


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@asynccontextmanager
async def _proxying(port: int) -> AsyncIterator[dict[str, Path]]:
    """Run nginx in front of a port; a socket for each way in which it is set up."""
    # Not a folder of pytest's: the name of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sockets = [folder / str(number) for number in range(len(WAYS))]
        servers = (
            SERVER.format(
                number=number,
                port=port,
                socket=sockets[number],
                lines=LINES[lines],
                buffering=buffering,
            )
            for number, (lines, buffering) in enumerate(WAYS)
        )
        (folder / "conf").write_text(
            MAIN.format(folder=folder, level="crit", rest=HTTP + "".join(servers))
        )
        process = await asyncio.create_subprocess_exec(
            program(), "-e", "stderr", "-c", folder / "conf"
        )
        try:
            await _until_up(process, sockets)
            names = (f"{lines}, buffering {buffering}" for lines, buffering in WAYS)
            yield dict(zip(names, sockets, strict=True))
        finally:
            process.kill()
            await process.wait()


@pytest.fixture(scope="session")
def proxy() -> Callable[[int], AbstractAsyncContextManager[dict[str, Path]]]:
    """A function that runs nginx in front of a port, for as long as a block."""
    return _proxying
