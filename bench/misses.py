"""Misses: what falgate and other gateways cost and add where the upstream has to be called."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from bench import client, work
from bench.gateway import gateway, ledger
from bench.hits import hit
from bench.load import MARK, Answer, Load, median, rounds
from bench.peers import started_peers, stub
from bench.report import Loads, Section, Setup, Table, comparison, load_table, only

_TEXT = """\
The upstream is a stub that answers at once. falgate does for each miss what it does for a purchase:
it holds the money, submits by the queue on a new connection, asks for status and result, settles,
fetches a PNG of 1.5 MB, checks it, stores it and publishes it. Every body is another
one, and so is every picture. The other gateways pass the same call through and have neither money
nor pictures: LiteLLM's is a chat completion, which is what it can cache, and it runs without a
database. Portkey's package has no cache. Another falgate buys pictures of 10 kB, which shows what
the pictures cost. The bare client does by itself what falgate does for a miss, without money and
store: it submits to the stub's queue, asks for status and result and fetches the picture, in one
process with aiohttp, whose connections it keeps. It runs where falgate runs, and its CPU is its
own.\
"""
_SMALL_BYTES = 10_000
_MISS, _HIT = "falgate, miss", "falgate, hit"
_LITELLM_HIT = "LiteLLM, hit"
_DIRECT, _CLIENT = "the stub, called directly", "bare client, with the picture"
_OVER_STUB = "added to the stub's p50, ms, at once:"
_OVER_CLIENT = "added to a bare client's p50, ms, at once:"
_OVER_LITELLM = "requests/s as a multiple of LiteLLM's hits, at once:"


def measure(setup: Setup) -> Section:
    """The part of the report."""
    number = setup.several(3, 1)
    with ExitStack() as stack:
        url, process = stack.enter_context(stub(setup.folder))
        redis = stack.enter_context(ledger(setup.folder))
        env = {"FALGATE_UPSTREAM_URL": f"{url}/queue", "FAL_KEY": "id:secret"}
        falgate = stack.enter_context(gateway(setup.folder, redis.url, **env))
        same = hit(falgate, "a lighthouse at dawn")._replace(name=_HIT, redis=redis.tree)
        miss = same._replace(name=_MISS, bodies=[work.body(MARK.decode())], expected=_bought)
        small_url, _ = stack.enter_context(stub(setup.folder, _SMALL_BYTES))
        env = {"FALGATE_UPSTREAM_URL": f"{small_url}/queue", "FAL_KEY": "id:secret"}
        other = stack.enter_context(gateway(setup.folder, redis.url, "falgate-small", **env))
        small = miss._replace(
            name="falgate, miss of a small picture",
            url=other.http + work.MODEL,
            headers=work.headers(other.key),
            tree=other.process,
        )
        direct = miss._replace(
            name=_DIRECT, url=url + work.MODEL, tree=process, redis=None, expected=_told
        )
        others, failed = started_peers(stack, setup.folder, url)
        targets = [same, miss, small, direct, *others]
        bare = {_CLIENT: partial(client.run, f"{url}/queue{work.MODEL}")}
        loads, wrong = rounds(targets, setup.connections, number, setup.seconds, bare)
    return Section(
        "Misses, and other gateways", _TEXT, [load_table(loads), *_compared(loads)], failed | wrong
    )


def _compared(loads: Loads) -> list[Table]:
    """Everybody beside the stub itself; a miss beside a bare client, and a hit beside LiteLLM's."""
    return [
        comparison(_OVER_STUB, loads, _DIRECT, _added_ms),
        comparison(_OVER_CLIENT, only(loads, _MISS, _CLIENT), _CLIENT, _added_ms),
        comparison(_OVER_LITELLM, only(loads, _HIT, _LITELLM_HIT), _LITELLM_HIT, _times),
    ]


def _added_ms(found: Sequence[Load], reference: Sequence[Load]) -> str:
    """How much later the median answer is."""
    return f"{(median(found, 'p50_us') - median(reference, 'p50_us')) / 1000:,.2f}"


def _times(found: Sequence[Load], reference: Sequence[Load]) -> str:
    return f"{median(found, 'rps') / median(reference, 'rps'):,.0f}"


def _bought(answer: Answer) -> str | None:
    told = answer.headers.get("x-falgate-cache")
    return None if told == "miss" and b"/pictures/" in answer.body else f"{told}, {answer.body!r}"


def _told(answer: Answer) -> str | None:
    return None if b"/files/" in answer.body else repr(answer.body)
