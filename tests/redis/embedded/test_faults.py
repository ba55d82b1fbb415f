"""The embedded Redis when things break: it comes back by itself, or says what to do."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from falgate.redis.embedded import EmbeddedFailed, EmbeddedRedis

Server = Callable[[EmbeddedRedis], int]
Until = Callable[[Callable[[], bool]], None]


async def test_a_killed_server_is_started_again_with_all_that_it_acknowledged(
    directory: Path, server_of: Server, until: Until
) -> None:
    instance = EmbeddedRedis(directory)
    instance.start()
    watching = [asyncio.create_task(instance.watch()) for _ in range(2)]
    try:
        with redis.Redis.from_url(instance.url, decode_responses=True) as connection:
            for number in range(200):
                connection.rpush("ledger", number)
        killed = server_of(instance)
        os.kill(killed, signal.SIGKILL)
        await asyncio.to_thread(until, lambda: server_of(instance) not in {0, killed})
        with redis.Redis.from_url(instance.url, decode_responses=True) as connection:
            assert connection.lrange("ledger", 0, -1) == [str(number) for number in range(200)]
        assert (directory / "server.log").read_text().count("Valkey is starting") == 2
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        instance.leave()


async def test_a_server_that_cannot_come_back_is_tried_again(
    directory: Path, server_of: Server, until: Until
) -> None:
    instance = EmbeddedRedis(directory)
    instance.start()
    base = next((directory / "appendonlydir").glob("*.base.rdb"))
    whole = base.read_bytes()
    base.write_bytes(b"not a snapshot")
    os.kill(server_of(instance), signal.SIGKILL)
    watching = asyncio.create_task(instance.watch())
    try:
        log = directory / "server.log"
        await asyncio.to_thread(until, lambda: "Bad file format" in log.read_text())
        base.write_bytes(whole)
        await asyncio.to_thread(until, lambda: server_of(instance) > 0)
        assert not watching.done()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        instance.leave()


@pytest.mark.parametrize("below", ["file", "file/data"])
def test_a_directory_that_cannot_be_written_says_so(directory: Path, below: str) -> None:
    (directory.parent / "file").write_text("")
    with pytest.raises(EmbeddedFailed) as caught:
        EmbeddedRedis(directory.parent / below).start()
    line = str(caught.value)
    assert str(directory.parent / "file") in line
    assert "a directory that it may write to" in line
    assert "\n" not in line


def test_a_corrupt_file_names_the_log_and_the_remedy(
    directory: Path, alive: Callable[[], bool]
) -> None:
    instance = EmbeddedRedis(directory)
    instance.start()
    instance.leave()
    base = next((directory / "appendonlydir").glob("*.base.rdb"))
    whole = base.read_bytes()
    base.write_bytes(b"not a snapshot")
    with pytest.raises(EmbeddedFailed) as caught:
        instance.start()
    line = str(caught.value)
    assert str(directory / "server.log") in line
    assert "valkey-check-aof" in line
    assert "\n" not in line
    command = line.partition("bash -c '")[2].partition("'")[0]
    examined = subprocess.run(["bash", "-c", command], capture_output=True, check=False, text=True)
    assert "is not valid" in examined.stdout + examined.stderr
    assert not alive()
    base.write_bytes(whole)
    instance.start()
    instance.leave()


def test_a_torn_last_write_is_dropped_and_the_rest_kept(directory: Path) -> None:
    instance = EmbeddedRedis(directory)
    instance.start()
    with redis.Redis.from_url(instance.url, decode_responses=True) as connection:
        connection.set("kept", "1")
    instance.leave()
    with next((directory / "appendonlydir").glob("*.incr.aof")).open("ab") as torn:
        torn.write(b"*3\r\n$3\r\nSET\r\n$4\r\nto")
    instance.start()
    try:
        with redis.Redis.from_url(instance.url, decode_responses=True) as connection:
            assert connection.keys() == ["kept"]
    finally:
        instance.leave()


def test_a_server_that_ends_for_another_reason_is_quoted(
    directory: Path, alive: Callable[[], bool]
) -> None:
    (directory / "redis.sock" / "occupied").mkdir(parents=True)
    with pytest.raises(EmbeddedFailed, match=r"ended at once; the last words in .*server\.log: .*"):
        EmbeddedRedis(directory).start()
    assert not alive()
