"""The parent of the workers: starts them, relays signals, and replaces those that die or hang."""

# The parent has no event loop and no threads, so that it can fork at any time. It alone obeys
# signals: Ctrl-C reaches all processes of a terminal, and must count once.

import os
import select
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from falgate.workers.place import Place
from falgate.workers.worker import Worker

_LOG = structlog.get_logger()
_RELAYED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STDIN = 0
_READ_BYTES = 65_536

_NOT_STARTED_S = 5.0
ASK_S = 1.0
_FOLDER_BYTES_MAX = 75
"""With the names below it, a socket's path has 100 bytes; some systems allow 103."""


class Workers:
    """The parent's side."""

    def __init__(
        self, sockets: Sequence[Sequence[socket.socket]], say: Callable[[str], None]
    ) -> None:
        """Obey signals from now on.

        Args:
            sockets: The listening sockets of each worker.
            say: Called with what the first worker says, once all are ready.
        """
        self._places = [Place(each) for each in sockets]
        self._say = say
        self._said = False
        self._stopping = False
        self._asked_by: int = signal.SIGTERM
        self._owed: list[Place] = []
        self._failed = 0
        self._ask_s = 0.0
        self._typed = os.isatty(_STDIN)
        self._signals, self._wake = socket.socketpair()
        for end in (self._signals, self._wake):
            end.setblocking(False)
        for number in (*_RELAYED, signal.SIGCHLD):
            signal.signal(number, _note)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    def run(self) -> Worker | None:
        """Return what it has in each worker; in the parent, None when all have ended.

        The first worker does what a first start has to; the others are started when it is ready.

        Raises:
            SystemExit: The first one could not start, and has said why; or one failed to stop.
            OSError: There is no place for their sockets; the message says what to do.
        """
        folder = _private_folder()
        while not self._stopping or self._owed or any(each.process for each in self._places):
            for place in self._due():
                worker = self._fork(place, folder)
                if worker is not None:
                    return worker
            self._wait()
            for place in self._places:
                place.hear()
            self._reap()
            self._ask()
            self._announce()
            self._obey()
        shutil.rmtree(folder, ignore_errors=True)
        if self._failed:
            raise SystemExit(self._failed)
        return None

    def _due(self) -> list[Place]:
        if self._stopping:
            owed, self._owed = self._owed, []
            return owed
        # The others wait for the first one, until it has been ready once.
        known = self._places if self._places[0].ready else self._places[:1]
        now_s = time.monotonic()
        return [each for each in known if each.process is None and each.due_s <= now_s]

    def _fork(self, place: Place, folder: Path) -> Worker | None:
        ours, theirs = socket.socketpair()
        # Until the worker's own handlers are there, it would write into the parent's wake-up pipe.
        signal.pthread_sigmask(signal.SIG_BLOCK, _RELAYED)
        try:
            process = os.fork()
        except OSError as error:
            # As without memory, or at a limit of processes: those that serve go on.
            if not self._places[0].ready:
                raise
            _LOG.error("worker.not_started", why=str(error))
            process = None
        if process == 0:
            self._forget(place)
            ours.close()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _RELAYED)
            return Worker(
                number=self._places.index(place),
                workers=len(self._places),
                joins=self._places[0].ready,
                parent=theirs,
                folder=folder,
            )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _RELAYED)
        theirs.close()
        if process is None:
            ours.close()
            place.due_s = time.monotonic() + _NOT_STARTED_S
        else:
            place.began(process, ours)
        if self._stopping:
            place.close()
            place.tell(self._asked_by)
        return None

    def _forget(self, mine: Place) -> None:
        """Close in a new worker what is the parent's, or another worker's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._signals.close()
        self._wake.close()
        for place in self._places:
            if place.channel is not None:
                place.channel.close()
            if place is not mine:
                place.close()

    def _wait(self) -> None:
        """Wait for a signal, a word of a worker, or the time to ask or to replace one."""
        channels = [each.channel for each in self._places if each.channel is not None]
        due_s = [self._ask_s]
        if not self._stopping and self._places[0].ready:
            due_s += [each.due_s for each in self._places if each.process is None]
        left_s = 0.0 if self._owed else max(0.0, min(due_s) - time.monotonic())
        select.select([self._signals, *channels], [], [], left_s)

    def _ask(self) -> None:
        """Ask the workers whether they are there, and kill those that have long been silent.

        Questions count, not seconds: while this process is stopped too, or hardly gets a turn on a
        busy machine, it asks nothing.
        """
        now_s = time.monotonic()
        if now_s < self._ask_s:
            return
        self._ask_s = now_s + ASK_S
        for number, place in enumerate(self._places):
            if place.process is None:
                continue
            if place.unanswered == place.patience:
                silent_s = ASK_S * place.patience
                _LOG.error("worker.hung", worker=number, process=place.process, silent_s=silent_s)
                os.kill(place.process, signal.SIGKILL)
            place.ask()

    def _obey(self) -> None:
        try:
            numbers = self._signals.recv(_READ_BYTES)
        except BlockingIOError:
            return
        for number in numbers:
            # When its terminal is closed, standard input is no longer a terminal.
            closed = number == signal.SIGHUP and self._typed and not os.isatty(_STDIN)
            if closed or number in {signal.SIGINT, signal.SIGTERM}:
                self._stop(signal.SIGTERM if closed else number)
            elif number == signal.SIGHUP:
                for place in self._places:
                    place.tell(number)

    def _stop(self, number: int) -> None:
        if not self._stopping:
            self._stopping = True
            self._asked_by = number
            # Where a worker has just died, another one serves the connections that wait for it.
            vacant = [each for each in self._places if each.process is None]
            self._owed = vacant if self._places[0].ready else []
            for place in self._places:
                place.lose_patience()
                # From now on, a worker that closes its listeners closes them for good.
                if place not in self._owed:
                    place.close()
        for place in self._places:
            place.tell(number)

    def _reap(self) -> None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not process:
                return
            for place in self._places:
                if place.process == process:
                    self._lost(place, process, os.waitstatus_to_exitcode(status))

    def _lost(self, place: Place, process: int, status: int) -> None:
        place.lost()
        number, now_s = self._places.index(place), time.monotonic()
        if not self._places[0].ready:
            # At the start, its error would come again. It has said it, unless it was killed.
            self._failed = max(status, int(status < 0))
            self._stopping = True
        elif not self._stopping:
            place.due_s = now_s + place.pause_s(now_s)
        elif place.serving and status:
            self._failed = 1
        if status < 0 or (status and self._places[0].ready):
            _LOG.error("worker.died", worker=number, process=process, status=status)

    def _announce(self) -> None:
        if not self._said and all(place.serving for place in self._places):
            self._said = True
            self._say(self._places[0].announcement())


def _private_folder() -> Path:
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > _FOLDER_BYTES_MAX:
        raise OSError(f"{parent} is too long a path for sockets: set TMPDIR to a shorter one")
    return Path(tempfile.mkdtemp(prefix="falgate-", dir=parent))


def _note(*_: object) -> None:
    """Do nothing: the number is in the wake-up pipe, or the parent tells."""
