"""A million mixed requests: how much memory falgate's process has after more and more of them."""

import random
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice
from typing import NamedTuple

import msgspec
from redis import Redis

from bench import filling, scrape, work
from bench.gateway import Gateway, gateway, ledger
from bench.hits import hit
from bench.load import MARK, Target, Told, ask, checked, has, raw, wrk
from bench.peers import stub
from bench.processes import Failed
from bench.report import Section, Setup, Table

_AT_ONCE = 32
_BODIES = 10_000
_STEPS = (50_000, 200_000, 250_000, 250_000, 250_000)
_QUICK = 100
_FIRST = 1
"""The step from whose end on growth counts."""
_S_MAX = 90
_RUN_S_MAX = 4
_REFUSED = 400
_DIFFERENCE_MAX = 0.05
_PICTURE_BYTES = 10_000
_POLLED = 20
_TEXT = f"""\
The resident memory of falgate's process, at rest after mixed requests at {_AT_ONCE} connections: a
million of them, or as many as there is time for. Of some 20,000 in turn, 19,500 are hits of
{_BODIES:,} bodies; 100 each are downloads of a 10 kB picture, submits of hits to the queue, looks
at their status, and quotes; 40 each have a wrong key, a wrong body and an unknown path; and 8 are
misses. Lengths and refusals of all answers have to be those of that mix.\
"""


class Kind(NamedTuple):
    """One kind of request, with its answer's length, and how many of them are in the mix."""

    target: Target
    size_bytes: int
    number: int


class Mix:
    """Requests of several kinds in an order that is always the same."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        """Mix them."""
        self._order = [kind for kind in kinds for _ in range(kind.number)]
        random.Random(1).shuffle(self._order)

    def requests(self) -> Iterable[bytes]:
        """All of them as wrk sends them."""
        turns = {kind.target.name: cycle(raw(kind.target)) for kind in self._order}
        return (next(turns[kind.target.name]) for kind in self._order)

    def wrong(self, told: Told) -> str | None:
        """What is wrong with the answers to the requests in turn, or None."""
        answered = list(islice(cycle(self._order), told.requests))
        refused = sum(kind.target.status >= _REFUSED for kind in answered)
        size_bytes = sum(kind.size_bytes for kind in answered)
        if told.broken or abs(told.refused - refused) > _AT_ONCE:
            return f"{told.refused} refusals, not {refused}, and {told.broken} broken connections"
        if not answered or abs(told.bytes / size_bytes - 1) > _DIFFERENCE_MAX:
            return f"{told.bytes} bytes in {told.requests} answers, not {size_bytes}"
        return None


def measure(setup: Setup) -> Section:
    """The part of the report."""
    with ExitStack() as stack:
        url, _ = stack.enter_context(stub(setup.folder, _PICTURE_BYTES))
        redis = stack.enter_context(ledger(setup.folder))
        env = {"FALGATE_UPSTREAM_URL": f"{url}/queue", "FAL_KEY": "id:secret"}
        falgate = stack.enter_context(gateway(setup.folder, redis.url, **env))
        rows = [["none", f"{_mib(falgate):.1f}", ""]]
        kinds = _kinds(falgate, redis.url, f"{url}/queue")
        looks: list[tuple[int, float]] = []
        answered, end_s = 0, time.monotonic() + _S_MAX
        for number in _STEPS:
            if looks[_FIRST:] and time.monotonic() > end_s:
                break
            answered += _send(kinds, number // setup.several(1, _QUICK), end_s)
            falgate.process.until_idle()
            looks.append((answered, _mib(falgate)))
            bought = f"{scrape.purchases(falgate):,.0f}"
            rows.append([f"{answered:,}", f"{looks[-1][1]:.1f}", bought])
    first, mib = looks[_FIRST]
    rows.append([f"growth from {first:,} to {answered:,}", f"{looks[-1][1] - mib:+.1f}", ""])
    table = Table(["mixed requests so far", "MiB", "purchases"], rows)
    return Section("Memory", _TEXT, [table])


def _send(kinds: Sequence[Kind], number: int, end_s: float) -> int:
    """Send so many, or as many as there is time for; how many were answered."""
    mix, hits = Mix(kinds), kinds[0].target
    answered, seconds = 0, 1
    while not answered or (answered < number and time.monotonic() < end_s):
        told = wrk(hits, mix.requests(), _AT_ONCE, seconds)
        if wrong := mix.wrong(told):
            raise Failed(f"mixed requests: {wrong}")
        answered += told.requests
        needed_s = (number - answered) / max(told.requests, 1) * seconds
        seconds = max(1, min(_RUN_S_MAX, round(needed_s)))
    for kind in kinds:
        if kind.target.status < _REFUSED:
            checked(kind.target)
    return answered


def _kinds(falgate: Gateway, redis_url: str, upstream: str) -> list[Kind]:
    """All kinds, hits first."""
    bodies = [work.body(f"a lighthouse at dawn, number {each}") for each in range(_BODIES)]
    hits = hit(falgate, "a lighthouse at dawn, number 0")
    fingerprint_of = partial(filling.fingerprint_of, upstream=upstream)
    with Redis.from_url(redis_url) as client:
        filling.copy_pool(client, fingerprint_of(bodies[0]), map(fingerprint_of, bodies[1:]))
    picture = msgspec.json.decode(ask(hits).body)["images"][0]["url"]
    submit = hits._replace(
        name="submits", url=f"{falgate.http}/queue{work.MODEL}", expected=has("request_id")
    )
    submitted = [msgspec.json.decode(checked(submit).body) for _ in range(_POLLED)]
    requests = [f"/queue{work.MODEL}/requests/{each['request_id']}" for each in submitted]
    look = hits._replace(
        name="looks",
        url=f"{falgate.http}{requests[0]}/status",
        bodies=[],
        paths=[f"{each}/status" for each in requests],
        expected=has("COMPLETED"),
    )
    quoted = f"{falgate.http}/v1/quote{work.MODEL}"
    wrong_key = work.headers(f"{falgate.key[:-8]}{'0' * 8}")
    mixed = [
        (hits._replace(bodies=bodies, expected=has("/pictures/")), 19_500),
        (hits._replace(name="pictures", url=picture, bodies=[], expected=has("PNG")), 100),
        (submit, 100),
        (look, 100),
        (hits._replace(name="quotes", url=quoted, expected=has("price_version")), 100),
        (hits._replace(name="wrong keys", headers=wrong_key, status=401), 40),
        (hits._replace(name="wrong bodies", bodies=[b'{"prompt": 1}'], status=422), 40),
        (hits._replace(name="unknown paths", url=f"{falgate.http}/nowhere", status=404), 40),
        (hits._replace(name="misses", bodies=[work.body(MARK.decode())]), 8),
    ]
    return [Kind(each, checked(each).size_bytes, number) for each, number in mixed]


def _mib(falgate: Gateway) -> float:
    return falgate.process.rss_bytes() / 2**20
