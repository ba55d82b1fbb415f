"""What all workers of a gateway have counted, so that any of them can answer for all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import structlog

from falgate.telemetry.counts import Counts
from falgate.telemetry.metrics import Metrics

_LOG = structlog.get_logger()
_ANSWER_S = 0.5
_decode = msgspec.msgpack.Decoder(Counts).decode
_encode = msgspec.msgpack.Encoder().encode


class Siblings:
    """The workers of one gateway.

    Each of them answers on a socket in a private folder. Before a worker tells what it has counted,
    it writes that to a file there. So if it is silent or dead, the others know what it last told,
    and its replacement continues from there: no sum that was told is followed by a lower one.
    """

    def __init__(self, folder: Path, number: int, workers: int) -> None:
        """Be the worker of this number."""
        self._folder = folder
        self._number = number
        self._others = [each for each in range(workers) if each != number]
        self._metrics = Metrics()

    @asynccontextmanager
    async def answering(self, metrics: Metrics) -> AsyncIterator[None]:
        """Continue from what an earlier worker of this number told, and answer the others."""
        self._metrics = metrics
        if (before := self._last(self._number)) is not None:
            self._metrics.add(before)
        socket = self._socket(self._number)
        socket.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._answer, socket)
        try:
            yield
        finally:
            server.close()

    async def counts(self) -> tuple[Sequence[Counts], int]:
        """Return what each worker has counted, and how many have answered, with this one."""
        answers = await asyncio.gather(*map(self._ask, self._others))
        silent = [
            number for number, answer in zip(self._others, answers, strict=True) if answer is None
        ]
        if silent:
            _LOG.warning("workers.silent", workers=silent)
        told = [
            self._last(number) if answer is None else answer
            for number, answer in zip(self._others, answers, strict=True)
        ]
        _, mine = self._told()
        return [mine, *(each for each in told if each is not None)], 1 + len(answers) - len(silent)

    async def _ask(self, number: int) -> Counts | None:
        with suppress(OSError, TimeoutError, msgspec.DecodeError):
            async with asyncio.timeout(_ANSWER_S):
                reader, writer = await asyncio.open_unix_connection(self._socket(number))
                try:
                    return _decode(await reader.read())
                finally:
                    writer.close()
        return None

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        encoded, _counted = self._told()
        with suppress(OSError):
            writer.write(encoded)
            await writer.drain()
        writer.close()

    def _told(self) -> tuple[bytes, Counts]:
        """Write down what this worker is about to tell."""
        counted = self._metrics.counts()
        encoded = _encode(counted)
        file = self._file(self._number)
        new = file.with_suffix(".new")
        with suppress(OSError):
            new.write_bytes(encoded)
            new.replace(file)
        return encoded, counted

    def _last(self, number: int) -> Counts | None:
        with suppress(OSError, msgspec.DecodeError):
            return _decode(self._file(number).read_bytes())
        return None

    def _socket(self, number: int) -> Path:
        return self._folder / f"{number}.sock"

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.counts"
