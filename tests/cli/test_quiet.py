"""At debug level, an old Redis over TCP brings no line for each connection."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S
from redis import Redis
from redis.exceptions import ConnectionError as NotConnected

Start = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def debian_redis(tmp_path: Path) -> Iterator[str]:
    """The URL of Debian's server, which knows less than its client asks for."""
    binary = shutil.which("redis-server") or pytest.fail("redis-server is missing: apt-get install")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = f"--bind 127.0.0.1 --port {port} --dir {tmp_path} --appendonly yes --save"
    server = subprocess.Popen(
        [binary, *flags.split(), "", "--appendfsync", "always"], stdout=subprocess.DEVNULL
    )
    try:
        url = f"redis://127.0.0.1:{port}"
        deadline_s = time.monotonic() + 10
        with Redis.from_url(url) as client:
            while True:
                try:
                    client.ping()
                    break
                except NotConnected:
                    assert time.monotonic() < deadline_s
                    time.sleep(0.02)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def test_a_connection_is_no_news(
    data: Path, start: Start, debian_redis: str, tmp_path: Path
) -> None:
    settings = {"FALGATE_REDIS_URL": debian_redis, "FALGATE_LOG_LEVEL": "debug"}

    with start(data, tmp_path, **settings) as gateway, ThreadPoolExecutor(20) as crowd:
        asked = crowd.map(
            lambda _: httpx.get(f"{gateway.url}/metrics", timeout=PATIENCE_S).status_code, range(40)
        )
        assert set(asked) == {200}
        with Redis.from_url(debian_redis) as client:
            connections = client.info("stats")["total_connections_received"]
        lines = gateway.log.splitlines()

    assert connections > 5
    # That this server tears its file is news: once.
    news = [line for line in lines if "redis.tears_its_file" in line]
    lines = [line for line in lines if line not in news]
    assert len(news) <= 1
    assert [
        line for line in lines if re.search(r"maint|subcommand|redis\.", line, re.IGNORECASE)
    ] == []
    assert len(lines) < 10, lines
