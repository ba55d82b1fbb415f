"""The place of one worker, which its replacement takes: its sockets, and what is known of it."""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from falgate.workers.worker import END, HERE

_READ_BYTES = 65_536
_SOUND_S = 30.0
"""A worker that lived for so long is replaced at once."""
_PAUSES_S = (0.1, 5.0)
_UNANSWERED_MAX, _UNANSWERED_AT_STOP = 30, 10
"""A worker that is asked so often in vain hangs. No collection of garbage and no load takes half as
long, and other instances adopt its jobs after about that time anyway."""
_ARE_YOU_THERE = 0
"""As `kill` asks: no signal has this number."""


class Place:
    """One worker, or the place that its replacement takes.

    Attributes:
        sockets: Listening sockets, handed to each worker in this place.
        process: Its process; None if it is not there.
        channel: To the worker.
        said: What it has said so far.
        ready: Whether a worker here was ever ready.
        unanswered: How often it was asked in vain, since it last said anything.
        patience: After how many such questions it hangs.
        due_s: When to start one.
        began_s: When the last one was started.
        quick: How many in a row died soon.
    """

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self.sockets = sockets
        self.process: int | None = None
        self.channel: socket.socket | None = None
        self.said = b""
        self.ready = False
        self.unanswered, self.patience = 0, _UNANSWERED_MAX
        self.due_s = 0.0
        self.began_s = 0.0
        self.quick = 0

    @property
    def serving(self) -> bool:
        """Whether its worker is, or was until it died, ready."""
        return END in self.said

    def began(self, process: int, channel: socket.socket) -> None:
        """Note that a worker was started here."""
        channel.setblocking(False)
        self.process, self.channel, self.said = process, channel, b""
        self.began_s = time.monotonic()
        self.unanswered, self.patience = 0, _UNANSWERED_MAX

    def lose_patience(self) -> None:
        """Give up sooner from now on: whoever stops falgate may kill all of it in half a minute."""
        self.patience = min(self.patience, self.unanswered + _UNANSWERED_AT_STOP)

    def ask(self) -> None:
        """Ask the worker whether it is there."""
        self.unanswered += 1
        self.tell(_ARE_YOU_THERE)

    def tell(self, number: int) -> None:
        """Relay a signal."""
        if self.channel is not None:
            # If it cannot be told, it is about to die, or has been told often enough.
            with suppress(BlockingIOError, ConnectionError):
                self.channel.send(bytes([number]))

    def hear(self) -> None:
        """Read what the worker says."""
        if self.channel is None:
            return
        try:
            heard = self.channel.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            heard = b""
        if not heard:
            self.channel.close()
            self.channel = None
        self.unanswered = 0
        self.said += heard.replace(HERE, b"")
        self.ready = self.ready or self.serving

    def pause_s(self, now_s: float) -> float:
        """Return how long to wait until the one that died is replaced."""
        self.quick = self.quick + 1 if now_s - self.began_s < _SOUND_S else 0
        least_s, most_s = _PAUSES_S
        return min(least_s * 2.0 ** (self.quick - 1), most_s) if self.quick else 0.0

    def announcement(self) -> str:
        """Return what the worker said when it was ready."""
        return self.said.partition(END)[0].decode()

    def lost(self) -> None:
        """Note that its worker has ended."""
        self.process = None
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    def close(self) -> None:
        """Close the listening sockets."""
        for each in self.sockets:
            each.close()
