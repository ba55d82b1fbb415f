"""Logging: one event per line, as JSON or as coloured columns; no prompts and no secrets."""

import logging
import re
import select
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]

_SECRET = re.compile(r"fg_(?:live|test|admin|oper)_\w+|(?i:\b(?:key|bearer)\s+)[\w-]+:[\w-]+")
_QUIET = ("httpx", "httpcore", "aiohttp", "asyncio", "uvicorn", "PIL", "redis")
"""Libraries whose INFO and DEBUG records print URLs, duplicate falgate's own events, or report at
every connection which features the server is too old for."""


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to standard error.

    Attributes:
        as_json: Whether each line is JSON.
    """

    def __init__(self, *, as_json: bool, shared: bool) -> None:
        super().__init__(sys.stderr)
        self.as_json = as_json
        self._shared = shared

    def write(self, lines: Iterable[bytes]) -> None:
        """Write lines that are encoded already, all at once."""
        with suppress(OSError, ValueError):
            for piece in _pieces(lines) if self._shared else (b"".join(lines),):
                self.stream.buffer.write(piece)
                self.stream.flush()


def configure(level: Level, *, people: bool, shared: bool = False) -> None:
    """Send structlog's events and the standard library's records to stderr in one format.

    Args:
        level: The lowest level that is written.
        people: Coloured columns instead of JSON.
        shared: Whether other processes write to the same place.
    """
    common: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_whence),
        _conceal,
    ]
    render: Any = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if people
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _Stderr(as_json=not people, shared=shared)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
            foreign_pre_chain=common,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def encoded(event: EventDict) -> bytes:
    """Return an event, or part of one, as JSON, with anything masked that looks like a key."""
    return msgspec.json.encode({name: _masked(value) for name, value in event.items()})


def write(lines: Iterable[bytes]) -> bool:
    """Write events that are encoded already, all at once.

    Return False if the log is not JSON; then nothing was written. As with other events, it is no
    error if nobody can read them.
    """
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _Stderr) and handler.as_json:
            handler.write(lines)
            return True
    return False


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines in pieces that a pipe takes whole; others' lines may come between these only."""
    piece = bytearray()
    for line in lines:
        if piece and len(piece) + len(line) > select.PIPE_BUF:
            yield bytes(piece)
            piece.clear()
        piece += line
    yield bytes(piece)


def _whence(exc_info: ExcInfo) -> str:
    """Return the types and tracebacks of an error and its causes, the last error first.

    Messages are left out: they may quote what a caller sent.
    """
    lines: list[str] = []
    errors: list[BaseException] = [exc_info[1]]
    for error in errors:
        lines += [f"{type(error).__qualname__}\n", *traceback.format_tb(error.__traceback__)]
        grouped = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        before = error.__cause__ or error.__context__
        errors += [each for each in (*grouped, before) if each and each not in errors]
    return "".join(lines)


def _conceal(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask anything that looks like a key, as the last line of defence."""
    for name, value in event.items():
        event[name] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    """Mask what looks like a key in a text; most texts have not even a character of one."""
    if isinstance(value, str) and (":" in value or "fg_" in value):
        return _SECRET.sub("***", value)
    return value
