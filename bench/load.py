"""Load by wrk on one server, and what the server spent on it; any wrong answer is a failure."""

import ssl
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from http.client import HTTPConnection, HTTPSConnection
from itertools import count
from math import ceil, inf
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from bench.processes import LOAD, Failed, Tree, on_core

CONNECTIONS = (1, 32, 256)
MARK = b"@@@@@@@@@@@@"
"""Twelve characters for which each request has a number of its own."""

_LUA = Path(__file__).with_name("load.lua")
_NUMBERS = count(1)
_WARM_UP = 4
_ANSWERS_MIN = 2
"""For each connection in each round."""
_SECONDS_MAX = 10
_DIFFERENCE_MAX = 0.05
_TIMEOUT_S = 20


class Answer(NamedTuple):
    """An answer: its status, its headers by lower-case name, its body, and its length in all."""

    status: int
    headers: dict[str, str]
    body: bytes
    size_bytes: int


class Target(NamedTuple):
    """A server and what is asked of it.

    Attributes:
        name: In tables.
        url: Where requests go, in full.
        headers: Of each request, besides Host and Content-Length.
        bodies: Of the requests, in turn; one with `MARK` is made distinct. Empty for GET.
        tree: Its processes.
        expected: What is wrong with an answer, or None.
        redis: The Redis that it uses, whose time is counted apart.
        paths: What is asked for in turn, instead of the URL's.
        status: Of every answer.
    """

    name: str
    url: str
    headers: Mapping[str, str]
    bodies: Sequence[bytes]
    tree: Tree
    expected: Callable[[Answer], str | None] = lambda _: None
    redis: Tree | None = None
    paths: Sequence[str] = ()
    status: int = 200


class Load(msgspec.Struct, frozen=True):
    """What one run of wrk measured.

    Attributes:
        requests: Answered.
        rps: The same in a second.
        p50_us: Median latency.
        p99_us: 99th percentile.
        cpu_us: User and system time of the server's processes for each request.
        redis_us: The same of its Redis.
    """

    requests: int
    rps: float
    p50_us: float
    p99_us: float
    cpu_us: float
    redis_us: float


class Told(msgspec.Struct):
    """What wrk says: counts, and microseconds; `refused` have a status of 400 or more."""

    sent: int
    requests: int
    bytes: int
    took_us: int
    p50_us: int
    p99_us: int
    refused: int
    broken: int


def ask(target: Target, number: int = 0) -> Answer:
    """One request by itself, on a connection of its own."""
    parts = urlsplit(target.url)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = parts.hostname or "", parts.port
    connection = (
        HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
        if parts.scheme == "https"
        else HTTPConnection(host, port, timeout=_TIMEOUT_S)
    )
    body = target.bodies[0].replace(MARK, b"%012d" % number) if target.bodies else None
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("POST" if body else "GET", path, body, dict(target.headers))
        reply = connection.getresponse()
        read = reply.read()
    finally:
        connection.close()
    listed = reply.getheaders()
    head = sum(len(name) + len(value) + 4 for name, value in listed) + len("HTTP/1.1 200 OK") + 4
    headers = {name.lower(): value for name, value in listed}
    return Answer(reply.status, headers, read, head + len(read))


def checked(target: Target) -> Answer:
    """The first answer, which has to be as expected.

    Raises:
        Failed: It is not.
    """
    answer = ask(target, next(_NUMBERS))
    wrong = target.expected(answer)
    if answer.status != target.status:
        wrong = f"status {answer.status}: {answer.body[:300].decode(errors='replace')}"
    if wrong:
        raise Failed(f"{target.name} answers wrongly: {wrong}")
    return answer


def same(body: bytes) -> Callable[[Answer], str | None]:
    """A check that an answer has this body."""
    return lambda answer: None if answer.body == body else repr(answer.body[:300])


def has(word: str) -> Callable[[Answer], str | None]:
    """A check that an answer's body has this in it."""
    return lambda answer: None if word.encode() in answer.body else repr(answer.body[:300])


def run(target: Target, connections: int, seconds: int, *, settles: bool = True) -> Load:
    """Ask for as long as that, on so many connections.

    Unless the server has other work and never `settles`, its time is counted until it has nothing
    to do: the last requests were sent, and wrk did not wait for their answers.

    Raises:
        Failed: An answer before, after or (by status and length) meanwhile is wrong.
    """
    size = checked(target).size_bytes
    trees = [target.tree, *([target.redis] if target.redis else [])]
    before = [tree.cpu_us() for tree in trees]
    told = wrk(target, raw(target), connections, seconds)
    if settles:
        target.tree.until_idle()
    spent = [tree.cpu_us() - had for tree, had in zip(trees, before, strict=True)]
    if told.refused or told.broken or not told.requests:
        raise Failed(
            f"{target.name}, {connections} connections: {told.requests} answers, of which "
            f"{told.refused} are refusals, and {told.broken} broken connections or time-outs"
        )
    if abs(told.bytes / told.requests / size - 1) > _DIFFERENCE_MAX:
        raise Failed(f"{target.name}: {told.bytes / told.requests:.0f} bytes each, first {size}")
    checked(target)
    rps = told.requests / told.took_us * 1e6
    cpu_us, redis_us = [each / told.sent for each in [*spent, 0.0][:2]]
    return Load(told.requests, rps, told.p50_us, told.p99_us, cpu_us, redis_us)


def wrk(target: Target, requests: Iterable[bytes], connections: int, seconds: int) -> Told:
    """Send the requests in turn, and again, to where the target is.

    Raises:
        Failed: wrk does not run.
    """
    parts = urlsplit(target.url)
    first = next(_NUMBERS) * 1_000_000
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\0".join(requests))
        file.flush()
        command = [*on_core(LOAD), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
        command += ["--timeout", f"{_TIMEOUT_S}s", "-s", str(_LUA)]
        command += [f"{parts.scheme}://{parts.netloc}{parts.path}", file.name, str(first)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"wrk on {target.name}: {done.stdout}{done.stderr}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Told)


def rounds(
    targets: Sequence[Target],
    connections: Sequence[int],
    number: int,
    seconds: int,
    others: Mapping[str, Callable[[int, int], Load]] = MappingProxyType({}),
) -> tuple[dict[tuple[str, int], list[Load]], dict[str, str]]:
    """Run all of them alternately, and again; one that fails is left out from then on.

    A slow one is given more seconds, so that each connection has several answers. The first
    of several rounds is preceded by one that warms up.

    Args:
        targets: What wrk loads.
        connections: How many at once.
        number: Of rounds.
        seconds: That each load lasts.
        others: Loads of another kind, by name: each is told connections and seconds.

    Returns:
        The rounds by name and connections, and why one failed by its name.
    """
    runs = {target.name: partial(run, target) for target in targets} | dict(others)
    found: dict[tuple[str, int], list[Load]] = {}
    failed: dict[str, str] = {}
    paces: dict[str, float] = {}
    warm = [(_WARM_UP, name) for name in runs if number > 1]
    plan = warm + [(each, name) for _ in range(number) for each in connections for name in runs]
    for turn, (at_once, name) in enumerate(plan):
        if name in failed:
            continue
        needed_s = at_once * _ANSWERS_MIN / paces.get(name, inf)
        try:
            load = runs[name](at_once, max(seconds, min(_SECONDS_MAX, ceil(needed_s))))
        except (Failed, OSError) as error:
            failed[name] = str(error)
            continue
        paces[name] = load.rps
        if turn >= len(warm):
            found.setdefault((name, at_once), []).append(load)
    return found, failed


def median(loads: Sequence[Load], field: str) -> float:
    """The median of one figure over the rounds."""
    values: list[float] = [getattr(load, field) for load in loads]
    return statistics.median(values)


def raw(target: Target) -> Iterable[bytes]:
    """The requests as wrk sends them."""
    parts = urlsplit(target.url)
    lines = [f"{name}: {value}" for name, value in {"Host": parts.netloc, **target.headers}.items()]
    own = f"{parts.path}?{parts.query}" if parts.query else parts.path
    for path in target.paths or [own]:
        for body in target.bodies or [b""]:
            first = f"{'POST' if body else 'GET'} {path} HTTP/1.1"
            length = [f"Content-Length: {len(body)}"] if body else []
            yield "\r\n".join([first, *lines, *length, "", ""]).encode() + body
