"""Misses: what falgate and other gateways cost and add where the upstream has to be called."""

from collections.abc import Sequence
from contextlib import ExitStack

from bench import work
from bench.gateway import gateway, ledger
from bench.hits import hit
from bench.load import MARK, Answer, Load, median, rounds
from bench.peers import started_peers, stub
from bench.report import Loads, Section, Setup, Table, comparison, load_table

_TEXT = """\
The upstream is a stub that answers at once. falgate does for each miss what it does for a purchase:
it holds the money, submits by the queue on a new connection, asks for status and result, settles,
fetches a PNG of 1.5 MB, checks it, stores it and publishes it. Every body is another
one, and so is every picture. The other gateways pass the same call through and have neither money
nor pictures: LiteLLM's is a chat completion, which is what it can cache, and it runs without a
database. Portkey's package has no cache. Another falgate buys pictures of 10 kB, which shows what
the pictures cost.\
"""
_SMALL_BYTES = 10_000
_DIRECT = "the stub, called directly"


def measure(setup: Setup) -> Section:
    """The part of the report."""
    number = setup.several(3, 1)
    with ExitStack() as stack:
        url, process = stack.enter_context(stub(setup.folder))
        redis = stack.enter_context(ledger(setup.folder))
        env = {"FALGATE_UPSTREAM_URL": f"{url}/queue", "FAL_KEY": "id:secret"}
        falgate = stack.enter_context(gateway(setup.folder, redis.url, **env))
        same = hit(falgate, "a lighthouse at dawn")._replace(name="falgate, hit", redis=redis.tree)
        miss = same._replace(
            name="falgate, miss", bodies=[work.body(MARK.decode())], expected=_bought
        )
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
        loads, wrong = rounds(targets, setup.connections, number, setup.seconds)
    return Section(
        "Misses, and other gateways", _TEXT, [load_table(loads), _added(loads)], failed | wrong
    )


def _added(loads: Loads) -> Table:
    """How much later the median answer is than that of the stub itself."""

    def added_ms(found: Sequence[Load], direct: Sequence[Load]) -> str:
        return f"{(median(found, 'p50_us') - median(direct, 'p50_us')) / 1000:,.2f}"

    return comparison("added to the stub's p50, ms, at once:", loads, _DIRECT, added_ms)


def _bought(answer: Answer) -> str | None:
    told = answer.headers.get("x-falgate-cache")
    return None if told == "miss" and b"/pictures/" in answer.body else f"{told}, {answer.body!r}"


def _told(answer: Answer) -> str | None:
    return None if b"/files/" in answer.body else repr(answer.body)
