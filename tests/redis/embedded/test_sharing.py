"""The embedded Redis in one process: what it promises, and who stops it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from falgate.redis.embedded import EmbeddedFailed, EmbeddedRedis

Server = Callable[[EmbeddedRedis], int]
Until = Callable[[Callable[[], bool]], None]


def test_it_keeps_what_it_acknowledged_and_refuses_to_evict(
    directory: Path, alive: Callable[[], bool]
) -> None:
    instance = EmbeddedRedis(directory)
    instance.start()
    try:
        with redis.Redis.from_url(instance.url, decode_responses=True) as connection:
            config = connection.config_get("*")
            assert config["appendonly"] == "yes"
            assert config["appendfsync"] == "always"
            assert config["maxmemory-policy"] == "noeviction"
            assert config["save"] == ""
            assert config["port"] == "0"
            connection.set("paid", "1")
    finally:
        instance.leave()
    assert not alive()
    instance.start()
    try:
        with redis.Redis.from_url(instance.url, decode_responses=True) as connection:
            assert connection.get("paid") == "1"
    finally:
        instance.leave()


def test_nobody_else_can_enter_its_directory(directory: Path) -> None:
    directory.mkdir(mode=0o777)
    instance = EmbeddedRedis(directory)
    instance.start()
    try:
        assert directory.stat().st_mode & 0o777 == 0o700
        assert (directory / "redis.sock").stat().st_mode & 0o777 == 0o700
    finally:
        instance.leave()


def test_the_server_does_not_get_our_credentials(
    directory: Path, monkeypatch: pytest.MonkeyPatch, server_of: Server
) -> None:
    monkeypatch.setenv("FAL_KEY", "a-secret")
    instance = EmbeddedRedis(directory)
    instance.start()
    try:
        process = Path(f"/proc/{server_of(instance)}")
        assert b"valkey-server" in (process / "cmdline").read_bytes()
        assert b"a-secret" not in (process / "environ").read_bytes()
    finally:
        instance.leave()


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_only_the_last_to_leave_stops_the_server(
    directory: Path, alive: Callable[[], bool], server_of: Server, until: Until
) -> None:
    first, second = EmbeddedRedis(directory), EmbeddedRedis(directory)
    first.start()
    second.start()
    pid = server_of(first)
    assert server_of(second) == pid
    first.leave()
    first.leave()
    assert server_of(second) == pid
    second.leave()
    assert not alive()
    until(lambda: not exists(pid))  # not as a zombie either


def test_starting_twice_takes_one_share(directory: Path, alive: Callable[[], bool]) -> None:
    instance = EmbeddedRedis(directory)
    instance.start()
    instance.start()
    instance.leave()
    assert not alive()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(
    directory: Path, server_of: Server
) -> None:
    deep = directory / ("d" * 60) / ("e" * 60)
    first, second = EmbeddedRedis(deep), EmbeddedRedis(deep)
    first.start()
    second.start()
    try:
        socket = Path(first.url.removeprefix("unix://"))
        assert len(str(socket)) < 100
        assert socket.is_socket()
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        assert server_of(first) == server_of(second)
    finally:
        first.leave()
        second.leave()
    assert not socket.parent.exists()


def test_a_runtime_directory_that_somebody_else_laid_out_is_refused(directory: Path) -> None:
    deep = directory / ("d" * 60) / ("f" * 60)
    instance = EmbeddedRedis(deep)
    runtime = Path(instance.url.removeprefix("unix://")).parent
    trap = directory.parent / "trap"
    trap.mkdir()
    runtime.symlink_to(trap)
    try:
        with pytest.raises(EmbeddedFailed, match="it belongs to somebody else"):
            instance.start()
    finally:
        runtime.unlink()
    assert not list(trap.iterdir())


def test_odd_characters_in_the_path_survive_the_url(directory: Path, server_of: Server) -> None:
    instance = EmbeddedRedis(directory / "ein Verzeichnis #1 50%?")
    instance.start()
    try:
        assert server_of(instance) > 0
    finally:
        instance.leave()
