"""Log lines as an operator's tools read them, written by a process that does nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Write = Callable[..., str]

KEY = f"fg_live_{'a' * 11}_{'b' * 43}_{'c' * 6}"


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_event_is_one_line_of_json_with_a_time_in_utc(write: Write) -> None:
    (event,) = events(write("LOG.info('call.answered', took_ms=1.5, job='j')"))
    stamp = event.pop("timestamp")

    assert event == {"event": "call.answered", "level": "info", "took_ms": 1.5, "job": "j"}
    assert stamp.endswith("Z")


def test_a_librarys_record_has_the_same_form(write: Write) -> None:
    (event,) = events(write("logging.getLogger('redis').warning('lost %s', 'it')"))

    assert event.keys() == {"event", "level", "timestamp"}
    assert (event["event"], event["level"]) == ("lost it", "warning")


@pytest.mark.parametrize(
    "name",
    [
        "httpx",
        "httpcore",
        "aiohttp.client",
        "asyncio",
        "uvicorn.error",
        "uvicorn.access",
        "PIL.PngImagePlugin",
        "redis.asyncio.connection",
    ],
)
def test_chatty_libraries_are_heard_only_when_something_is_wrong(write: Write, name: str) -> None:
    found = events(
        write(f"log = logging.getLogger({name!r}); log.debug('a'); log.info('b'); log.warning('c')")
    )

    assert [event["event"] for event in found] == ["c"]


@pytest.mark.parametrize(
    ("level", "heard"),
    [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)],
)
def test_what_is_below_the_level_is_not_written(write: Write, level: str, heard: int) -> None:
    calls = "; ".join(f"LOG.{name}('e')" for name in ("debug", "info", "warning", "error"))

    assert len(events(write(calls, level))) == heard


@pytest.mark.parametrize("kind", ["test", "admin", "oper"])
def test_keys_of_all_kinds_look_like_one(write: Write, kind: str) -> None:
    key = KEY.replace("live", kind)

    assert "b" * 43 not in write(f'LOG.warning("key {key}", key="{key}")')


@pytest.mark.parametrize("people", [False, True])
def test_what_looks_like_a_key_is_not_written(write: Write, *, people: bool) -> None:
    text = write(
        f"""
LOG.warning("key {KEY}", key="{KEY}", header="Key 0123-abcd:fedc-4567", other="Bearer a1:b2")
logging.getLogger("x").error("refused %s", "Authorization: Key 0123-abcd:fedc-4567")
""",
        people=people,
    )

    for secret in (KEY, "b" * 43, "fedc-4567", "a1:b2"):
        assert secret not in text
    assert text.count("***") == 5


@pytest.mark.parametrize("people", [False, True])
def test_a_failure_says_where_and_not_what(write: Write, *, people: bool) -> None:
    text = write(
        """
def outer():
    try:
        inner()
    except ValueError as error:
        error.add_note("the prompt, noted")
        raise RuntimeError("the prompt, outside") from error

def inner():
    try:
        raise KeyError("the prompt, before")
    except KeyError:
        raise ValueError("the prompt, inside")

try:
    outer()
except RuntimeError:
    LOG.exception("request.failed")
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
""",
        people=people,
    )

    assert "the prompt" not in text
    for word in ("RuntimeError", "ValueError", "KeyError", "in outer", "in inner"):
        assert text.count(word) >= 2
    if not people:
        assert [event["event"] for event in events(text)] == [
            "request.failed",
            "Exception in ASGI application",
        ]


def test_failures_in_a_group_and_in_a_circle_are_told_once(write: Write) -> None:
    (event,) = events(
        write(
            """
first, second = ValueError("a"), TypeError("b")
first.__cause__, second.__cause__ = second, first
LOG.error("failed", exc_info=ExceptionGroup("c", [first, OSError("d")]))
"""
        )
    )

    assert event["exception"].split() == ["ExceptionGroup", "ValueError", "OSError", "TypeError"]


def test_nothing_can_pass_for_a_line_of_its_own(write: Write) -> None:
    forged = '\n{"event":"forged"}\r\x1b[31m\u2028\u0085'
    text = write(f"LOG.info('e', name={forged!r}); logging.getLogger('x').error({forged!r})")

    assert [event["event"] for event in events(text)] == ["e", forged]
    assert text.isascii()
    assert "\x1b" not in text


def test_people_get_one_line_an_event_too(write: Write) -> None:
    text = write("LOG.info('e', name='\\n\\x1b[31mforged')", people=True)

    assert len(text.splitlines()) == 1
    assert "\x1b" not in text


MANY = """
import os
child = os.fork()
line = b'{"who":%d,"filling":"%s"}\\n' % (child == 0, b"x" * 300)
for _ in range(100):
    logs.write([line] * 400)
if child:
    os.waitpid(child, 0)
else:
    os._exit(0)
"""


def test_lines_of_processes_that_share_a_pipe_stay_whole(write: Write) -> None:
    found = events(write(MANY, shared=True))

    assert sum(event["who"] for event in found) == len(found) - 40_000 == 40_000
