"""With a file and falgate's arguments, this is a falgate that notes what blocks its event loop.

A timer beats all the time. A beat that comes late was held up by falgate itself, except for the
time in which threads of its process could have run but the kernel gave them no core. Then the
stacks of all threads are noted, as they were meanwhile: a thread that holds the interpreter's lock
blocks the loop too. They are taken with that lock, by who gets it first: without it, they may
change while they are read, and the process dies of it.
"""

import asyncio
import faulthandler
import json
import re
import runpy
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

import uvloop

EVERY_S, STALL_S = 0.02, 0.1
"""A process whose loop is later than that is overloaded, docs/operations.md says."""
_OURS = re.compile(
    r'File ".*/(?:service/(?!falgate/cli/|falgate/__main__)(?=falgate/)|(?=test_))'
    r'([\w/]+\.py)", line \d+ in (.*)'
)
"""A frame of falgate's, but for those below the loop, or of a test's."""


class Watch:
    """Watches one loop, from its own thread and from another."""

    def __init__(self, loop: asyncio.AbstractEventLoop, file: Path) -> None:
        self._loop = loop
        self._found = file.open("a", buffering=1)
        self._stacks = TemporaryFile("w+")  # noqa: SIM115 - closed at the end
        self._begin()
        self._over = threading.Event()
        self._looker = threading.Thread(target=self._look, daemon=True)
        self._looker.start()

    def end(self) -> None:
        """Watch no longer."""
        self._next.cancel()
        self._over.set()
        self._looker.join()
        self._found.close()
        self._stacks.close()

    def _begin(self) -> None:
        self._taken = False
        self._due_s, self._waited_s = time.monotonic() + EVERY_S, waited_s()
        self._next = self._loop.call_later(EVERY_S, self._beat)

    def _look(self) -> None:
        while not self._over.wait(EVERY_S):
            if not self._taken and time.monotonic() > self._due_s + STALL_S:
                self._take()

    def _take(self) -> None:
        self._taken = True
        faulthandler.dump_traceback(self._stacks)

    def _beat(self) -> None:
        late_s = time.monotonic() - self._due_s
        stalled_s = late_s - (waited_s() - self._waited_s)
        if stalled_s > STALL_S:
            if not self._taken:
                self._take()
            self._stacks.seek(0)
            line = {"stalled_s": stalled_s, "late_s": late_s, "stacks": self._stacks.read()}
            self._found.write(json.dumps(line) + "\n")
        self._stacks.seek(0)
        self._stacks.truncate()
        self._begin()


@contextmanager
def watching(loop: asyncio.AbstractEventLoop, file: Path) -> Iterator[None]:
    """Watch the loop until the block ends."""
    watch = Watch(loop, file)
    try:
        yield
    finally:
        watch.end()


def taken(file: Path) -> dict[str, list[str]]:
    """What of ours ran in which thread, and the stalls in which it did; the file forgets them.

    A stall in which nothing of ours ran is left out: it may be one of the whole machine.
    """
    found: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        threads = json.loads(line)["stacks"].split("\n\n")
        innermost = [match for each in threads if (match := _OURS.search(each))]
        for place in {f"{match[1]}: {match[2]}" for match in innermost}:
            found.setdefault(place, []).append(line)
    file.write_text("")
    return found


def waited_s() -> float:
    """For how long threads of this process could have run, but had no core."""
    waited_ns = 0
    for each in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            waited_ns += int((each / "schedstat").read_text().split()[1])
    return waited_ns / 1e9


def watched_loop() -> asyncio.AbstractEventLoop:
    """A loop as falgate has it, watched from its first callback on."""
    loop = made()
    loop.call_soon(Watch, loop, FILE)
    return loop


if __name__ == "__main__":
    FILE = Path(sys.argv.pop(1))
    made = uvloop.new_event_loop
    uvloop.new_event_loop = watched_loop  # type: ignore[assignment]  # falgate looks it up there
    runpy.run_module("falgate", run_name="__main__", alter_sys=True)
