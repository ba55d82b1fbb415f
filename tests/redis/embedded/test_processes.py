"""The embedded Redis between processes: one server, whoever races, leaves or is killed."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from falgate.redis.embedded import EmbeddedRedis

Server = Callable[[EmbeddedRedis], int]

INSTANCE = """
import sys
from pathlib import Path
from falgate.redis.embedded import EmbeddedRedis
instance = EmbeddedRedis(Path(sys.argv[1]))
for command in sys.stdin:
    getattr(instance, command.strip())()
    print("done", flush=True)
"""


class Other:
    """An instance in a process of its own, told what to do line by line."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", INSTANCE, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, command: str) -> None:
        """Have it call this method of its instance."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def hear(self) -> None:
        """Wait for the call to return."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "done\n"

    def kill(self) -> None:
        """End it without a chance to leave."""
        self.process.kill()
        self.process.communicate()


@contextmanager
def others(directory: Path, number: int = 1) -> Iterator[list[Other]]:
    started = [Other(directory) for _ in range(number)]
    try:
        yield started
    finally:
        for other in started:
            other.kill()


def test_an_orphan_of_a_killed_starter_is_adopted(
    directory: Path, alive: Callable[[], bool], server_of: Server
) -> None:
    with others(directory) as [starter]:
        starter.tell("start")
        starter.hear()
        orphan = int((directory / "server.pid").read_text())
        starter.kill()
    instance = EmbeddedRedis(directory)
    instance.start()
    adopted = server_of(instance)
    instance.leave()
    assert adopted == orphan
    assert not alive()


def test_six_racing_processes_share_one_server(
    directory: Path, alive: Callable[[], bool], server_of: Server
) -> None:
    with others(directory, 6) as racers:
        for racer in racers:
            racer.tell("start")
        for racer in racers:
            racer.hear()
        instance = EmbeddedRedis(directory)
        instance.start()
        assert server_of(instance) == int((directory / "server.pid").read_text())
        log = (directory / "server.log").read_text()
        assert log.count("Ready to accept connections") == 1
        assert log.count("Valkey is starting") == 1
        instance.leave()
        assert alive()
        for racer in racers:
            racer.tell("leave")
        for racer in racers:
            racer.hear()
    assert not alive()


def test_whoever_starts_while_another_leaves_has_a_server(
    directory: Path, alive: Callable[[], bool], server_of: Server
) -> None:
    instance = EmbeddedRedis(directory)
    with others(directory) as [leaver]:
        for _ in range(15):
            leaver.tell("start")
            leaver.hear()
            leaver.tell("leave")
            instance.start()
            leaver.hear()
            assert server_of(instance) > 0
            instance.leave()
            assert not alive()
