"""Processes of falgate without its imports: forked from one that has made them.

Importing falgate takes most of a second of a core, and tests start it hundreds of times. One server
for each test process imports it once. For each start it forks a process that runs
`python -m falgate` with its own arguments, environment and files: of its own number, with real
signals, and a real end. The templates of the console are compiled already. Tests of the start
itself start Python anew.
"""

import gc
import json
import os
import random
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from functools import cache, partialmethod
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from patience import PATIENCE_S

from falgate.cli.main import COMMANDS

_LATER = (
    "cryptography.hazmat.backends",
    "encodings.idna",
    "falgate.cli.in_process",
    "falgate.console.app",
    "falgate.console.oidc.provider",
    "falgate.models.validation",
    "falgate.pictures.encode",
    "falgate.pictures.inspect",
    "litestar.exceptions.responses",
    *(f"litestar.middleware.{each}" for each in ("allowed_hosts", "csrf", "response_cache")),
    "litestar.plugins.attrs",
    "litestar.plugins.pydantic",
    "starlette.exceptions",
    *(f"PIL.{each}ImagePlugin" for each in ("Bmp", "Gif", "Jpeg", "Png", "Ppm", "WebP")),
)
"""What a process of falgate loads when it needs it, and most of those here do."""

_REQUEST_BYTES_MAX, _SAID_BYTES_MAX = 1 << 20, 10_000_000


class _Compiled(BytecodeCache):
    """The console's templates, which take a third of a second to compile, by their content."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is there, if it is of the same content."""
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


class Forked:
    """A process, with the methods of `subprocess.Popen` that tests use.

    Attributes:
        args: What was typed.
        pid: Its number.
        returncode: Its end, as Popen has it; None before it.
    """

    stdin = stdout = stderr = None

    def __init__(self, args: Sequence[str], keeper: socket.socket) -> None:
        """Follow the process that this keeper has forked."""
        self.args = args
        self.returncode: int | None = None
        self._keeper = keeper
        self._said = b""
        self._lock = threading.Lock()
        self.pid = int(self._line(PATIENCE_S) or 0)
        assert self.pid, "the process that forks is gone"

    def poll(self) -> int | None:
        """Its end, if it is there."""
        with self._lock:
            if self.returncode is None and (line := self._line(0)) is not None:
                self.returncode = os.waitstatus_to_exitcode(int(line))
                self._keeper.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its end.

        Raises:
            TimeoutExpired: It did not come in time.
        """
        end_s = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            left_s = None if end_s is None else end_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            try:
                select.select([self._keeper], [], [], left_s)
            except (OSError, ValueError):
                continue  # Another thread has read the end.
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it is there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _line(self, timeout_s: float) -> str | None:
        """The keeper's next line, if it comes in time."""
        end_s = time.monotonic() + timeout_s
        while b"\n" not in self._said:
            if not select.select([self._keeper], [], [], max(0.0, end_s - time.monotonic()))[0]:
                return None
            self._said += (more := self._keeper.recv(64))
            assert more, "the process that keeps this one is gone"
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()


def popen(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: int | None = None,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
) -> Forked:
    """Run `python -m falgate ARGUMENTS` in this environment, with these files."""
    mine, its = socket.socketpair()
    with its, Path(os.devnull).open("r+b") as nothing:
        files = [_number(file, nothing) for file in (stdin, stdout, stderr)]
        request = json.dumps([list(arguments), dict(env), str(Path.cwd())]).encode()
        socket.send_fds(_server()[0], [request], [*files, its.fileno()])
    return Forked(["falgate", *arguments], mine)


def run(arguments: Sequence[str], env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; what it said."""
    with TemporaryFile() as out, TemporaryFile() as err:
        process = popen(arguments, env=env, stdout=out, stderr=err)
        try:
            status = process.wait(PATIENCE_S)
        finally:
            process.kill()
        said = [os.pread(file.fileno(), _SAID_BYTES_MAX, 0).decode() for file in (out, err)]
    return subprocess.CompletedProcess(process.args, status, *said)


def _number(file: IO[bytes] | int | None, nothing: IO[bytes]) -> int:
    if file is None:
        return nothing.fileno()
    return file if isinstance(file, int) else file.fileno()


@cache
def _server() -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    """The process that forks, behind a connection to it; it ends when this one does."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        ours = ("FAL", "SSL_")  # what falgate reads, and what its processes here seldom have
        env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        command = [sys.executable, __file__, str(its.fileno())]
        return mine, subprocess.Popen(command, pass_fds=[its.fileno()], env=env)


def _serve(requests: socket.socket) -> None:
    """Fork for each request, until nobody is left who could make one."""
    for name in {*(f"falgate.cli.{each}" for each in COMMANDS.values()), *_LATER}:
        import_module(name)
    # Loading the authorities takes longer than anything else at a start.
    import_module("falgate.fal.connections").authorities()
    # And compiling the templates than anything else where the console is seen.
    usual: Any = Environment
    usual.__init__ = partialmethod(usual.__init__, bytecode_cache=_Compiled())
    import_module("falgate.console.app").templates(UTC)
    gc.freeze()  # What is there already is shared by all, as long as nobody touches it.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Keepers are nobody's to wait for.
    while True:
        request, files, _, _ = socket.recv_fds(requests, _REQUEST_BYTES_MAX, 4)
        if not request:
            return
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            _keep(json.loads(request), files)
        for file in files:
            os.close(file)


def _keep(request: Any, files: list[int]) -> None:
    """Fork once more, tell the number, wait for the end, and tell that."""
    *said, told = files
    child = os.fork()
    if child == 0:
        os.close(told)
        _run(request, said)
    for file in said:
        os.close(file)
    os.write(told, b"%d\n" % child)
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):  # Nobody wants to know.
        os.write(told, b"%d\n" % status)
    os._exit(0)


def _run(request: Any, files: list[int]) -> None:
    """Be falgate."""
    arguments, env, directory = request
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["falgate", *arguments]
    random.seed()
    status: Any = 0
    try:
        runpy.run_module("falgate", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    if not isinstance(status, int):
        sys.stderr.write(f"{status}\n")
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
