"""Hits: falgate beside bare servers and nginx's cache, on the same work, in interleaved rounds."""

import hashlib
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from redis import Redis

from bench import filling, work
from bench.constant import Constant
from bench.gateway import Gateway, gateway, ledger
from bench.load import Answer, Load, Target, ask, checked, median, rounds, same
from bench.nginx import nginx
from bench.processes import SERVED, Failed, Process, free_port, started
from bench.report import Section, Setup, comparison, load_table, only

_TEXT = """\
Everybody gets the same POST, a body of 150 bytes and a key in a header, and gives the same answer.
falgate is `falgate run` with its log at `info` in a file: it looks up the key, checks it and its
limits, finds the answer, counts and logs. The bare servers and the Litestar route give a
constant answer and do nothing else. nginx has the answer in `proxy_cache`, with the body and the
key in its cache key, and writes no log. A second falgate may keep no answers in its memory
(`FALGATE_FAST_PATH_BYTES_MAX=0`): it makes each of its hits, "from Redis", of the pool that it
reads from Redis in one round trip, as every falgate does for the first hit of its process.\
"""

_SHARE = "falgate's CPU by http as a multiple of it, at once:"
_COLD_SHARE = "falgate's CPU from Redis as a multiple of it, at once:"
_COLD_CHECKED = 100
_OF_ONE_HOP = {"connection", "date", "server", "transfer-encoding", "keep-alive"}


def measure(setup: Setup) -> Section:
    """The part of the report."""
    with ExitStack() as stack:
        redis = stack.enter_context(ledger(setup.folder))
        falgate = stack.enter_context(gateway(setup.folder, redis.url))
        http = hit(falgate, "a lighthouse at dawn")._replace(redis=redis.tree)
        first = checked(http)
        http = http._replace(expected=same(first.body))
        by_https = first.body.replace(falgate.http.encode(), falgate.https.encode())
        https = http._replace(
            name="falgate, https", url=falgate.https + work.MODEL, expected=same(by_https)
        )
        cold = _cold(stack, setup.folder, redis.url, http, first)
        bare = _bare(stack, setup.folder, first, http)
        targets, failed = [http, https, cold, *bare], {}
        upstream = bare[0].url.removeprefix("http://").partition("/")[0]
        try:
            cache = stack.enter_context(
                nginx(setup.folder, upstream, falgate.data / "tls", falgate.data / "media")
            )
        except Failed as error:
            failed["nginx"] = str(error)
        else:
            nginx_http = bare[0]._replace(name="nginx proxy_cache, http", tree=cache.process)
            nginx_https = nginx_http._replace(name="nginx proxy_cache, https")
            targets += [
                nginx_http._replace(url=cache.http + work.MODEL),
                nginx_https._replace(url=cache.https + work.MODEL),
            ]
        loads, wrong = rounds(targets, setup.connections, setup.rounds, setup.seconds)
    beside_bare = only(loads, cold.name, *(each.name for each in bare))
    tables = [
        load_table(loads),
        comparison(_SHARE, loads, http.name, _share),
        comparison(_COLD_SHARE, beside_bare, cold.name, _share),
    ]
    return Section("Hits", _TEXT, tables, failed | wrong, loads)


def _share(found: Sequence[Load], ours: Sequence[Load]) -> str:
    return f"{median(ours, 'cpu_us') / median(found, 'cpu_us'):.2f}"


def _cold(stack: ExitStack, folder: Path, redis_url: str, warm: Target, first: Answer) -> Target:
    """Another falgate, which has the same hits and reads each of them from Redis.

    Raises:
        Failed: It does not.
    """
    env = {"FALGATE_FAST_PATH_BYTES_MAX": "0"}
    other = stack.enter_context(gateway(folder, redis_url, "falgate-cold", **env))
    cold = warm._replace(
        name="falgate, http, from Redis",
        url=other.http + work.MODEL,
        tree=other.process,
        expected=same(
            first.body.replace(warm.url.removesuffix(work.MODEL).encode(), other.http.encode())
        ),
    )
    checked(cold)
    with Redis.from_url(redis_url) as client:
        before = filling.calls(client, "hmget")
        for _ in range(_COLD_CHECKED):
            checked(cold)
        reads = filling.calls(client, "hmget") - before
    if reads < _COLD_CHECKED:
        raise Failed(f"{_COLD_CHECKED} hits were made with {reads} reads from Redis")
    return cold


def _bare(stack: ExitStack, folder: Path, answer: Answer, asked: Target) -> list[Target]:
    """Servers that always give falgate's answer, and do nothing else."""
    file = folder / "constant.json"
    headers = {name: value for name, value in answer.headers.items() if name not in _OF_ONE_HOP}
    file.write_bytes(msgspec.json.encode(Constant(headers, answer.body.decode())))
    found = []
    for kind, name in (
        ("falgate", "bare ASGI, falgate's server"),
        ("uvicorn", "bare ASGI, uvicorn"),
        ("litestar", "Litestar route, falgate's server"),
    ):
        process, port = stack.enter_context(_constant(kind, file, folder))
        url = f"http://127.0.0.1:{port}{work.MODEL}"
        found.append(asked._replace(name=name, url=url, tree=process, redis=None))
    return found


def hit(falgate: Gateway, prompt: str, **more: object) -> Target:
    """falgate over http, where one request has been bought, so that every further one is a hit.

    Raises:
        Failed: The hit is another answer than the miss, or its picture is another.
    """
    target = Target(
        "falgate, http",
        falgate.http + work.MODEL,
        work.headers(falgate.key),
        [work.body(prompt, **more)],
        falgate.process,
    )
    miss, again = checked(target), ask(target)
    told = [answer.headers.get("x-falgate-cache") for answer in (miss, again)]
    if told != ["miss", "hit"] or miss.body != again.body:
        raise Failed(f"the same request twice was {told[0]} and {told[1]}: {again.body[:300]!r}")
    url = msgspec.json.decode(again.body)["images"][0]["url"]
    if url.startswith("http"):
        with urllib.request.urlopen(url) as picture:
            digest = hashlib.sha256(picture.read()).hexdigest()
        if digest not in url:
            raise Failed(f"the picture at {url} is another one")
    return target


@contextmanager
def _constant(kind: str, answer: Path, folder: Path) -> Iterator[tuple[Process, int]]:
    port = free_port()
    command = [sys.executable, "-m", "bench.constant", kind, str(port), str(answer)]
    with started(f"constant-{kind}", command, folder, core=SERVED) as process:
        process.until(port)
        yield process, port
