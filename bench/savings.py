"""What the cache saves: one stream of requests through falgate and through exact-response caches.

`make bench-books` runs it. Prompts are drawn by Zipf's law, with numbers of pictures, formats and
sync_mode mixed as callers mix them, and bodies spelt as they spell them. Everybody buys from a
sandbox that plays fal, and its books say what was bought and billed:

- `exact response`: the answer is kept by the hash of the body, keys sorted, as the caches of other
  gateways do; who asks while another buys the same buys too.
- `exact, shared`: the same, but identical requests under way share one purchase.
- `falgate`: over HTTP, as apps use it. Its ledger has to agree with the sandbox's books.

Dollars are list price and text, as the sandbox bills them. A hit is an answer that bought nothing.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench import upstream
from bench.processes import free_port, until_answered

MODEL = "fal-ai/gpt-image-1.5"
WORK_S = 0.02
OK = 200

Body = dict[str, Any]


class Row(msgspec.Struct):
    """What a stream came to.

    Attributes:
        name: Of the cache.
        answers: Requests that were answered.
        hits: Of these, without a purchase.
        asked: Pictures that they asked for.
        bought: Pictures that the sandbox delivered.
        billed_usd: What it billed.
        sources: What falgate said of its answers.
    """

    name: str
    answers: int = 0
    hits: int = 0
    asked: int = 0
    bought: int = 0
    billed_usd: float = 0
    sources: dict[str, int] = {}


def main() -> None:
    """Run and print."""
    options = parsed()
    stream = list(requests(options))
    with tempfile.TemporaryDirectory() as folder:
        rows, differences = asyncio.run(measure(stream, Path(folder), options.concurrency))
    print(f"{len(stream)} requests of {options.prompts} prompts, Zipf {options.exponent:g}")
    print(f"{'':16}{'bought':>8}{'of asked':>10}{'cost $':>10}{'hits':>8}{'saved':>8}")
    dearest = rows[0].billed_usd / rows[0].bought * rows[0].asked
    for row in rows:
        print(
            f"{row.name:16}{row.bought:8}{row.bought / row.asked:10.1%}{row.billed_usd:10.2f}"
            f"{row.hits / row.answers:8.1%}{1 - row.billed_usd / dearest:8.1%}"
        )
    print("falgate's answers: " + ", ".join(f"{n} {name}" for name, n in rows[-1].sources.items()))
    if options.json:
        Path(options.json).write_bytes(msgspec.json.encode(rows))
    if differences:
        sys.exit("\n".join(differences))


def parsed() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--exponent", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--json", default="", help="write the rows to this file too")
    return parser.parse_args()


def requests(options: argparse.Namespace) -> Iterator[bytes]:
    """Bodies as callers send them, the same for every cache."""
    draw = random.Random(options.seed)
    weights = [1 / rank**options.exponent for rank in range(1, options.prompts + 1)]
    for prompt in draw.choices(range(options.prompts), weights, k=options.requests):
        # A prompt has its quality and size; the rest differs from caller to caller.
        own = random.Random(prompt)
        body: Body = {
            "prompt": f"picture number {prompt} of a fair",
            "quality": own.choices(("low", "medium", "high"), (0.7, 0.2, 0.1))[0],
            "image_size": own.choices(("1024x1024", "1536x1024"), (0.7, 0.3))[0],
            "num_images": draw.choices((1, 2, 3, 4), (0.6, 0.2, 0.1, 0.1))[0],
            "output_format": draw.choices(("png", "jpeg", "webp"), (0.5, 0.3, 0.2))[0],
            "sync_mode": draw.choices((True, False), (0.15, 0.85))[0],
        }
        yield spelt(body, draw)


def spelt(body: Body, draw: random.Random) -> bytes:
    """With or without what goes without saying, in any order."""
    usual = {"output_format": "png", "num_images": 1, "sync_mode": False, "background": "auto"}
    body = {"background": "auto", **body}
    if draw.choice((True, False)):
        body = {name: value for name, value in body.items() if usual.get(name) != value}
    names = list(body)
    draw.shuffle(names)
    return json.dumps({name: body[name] for name in names}).encode()


async def measure(
    stream: list[bytes], folder: Path, concurrency: int
) -> tuple[list[Row], list[str]]:
    """Every cache's row, falgate's last, and what does not add up."""
    rows = []
    differences: list[str] = []
    with upstream.sandbox(folder, work_s=WORK_S) as url:
        for name, shared in (("exact response", False), ("exact, shared", True)):
            headers = {"Authorization": "Key a:b"}
            async with httpx.AsyncClient(timeout=60, headers=headers) as client:
                cache = ExactCache(client, f"{url}/{MODEL}", shared=shared)
                rows.append(await play(stream, concurrency, Row(name), cache.ask))
            close(rows[-1], url)
            upstream.forget(url)
        async with gateway(folder, url) as (client, verify):
            row = await play(stream, concurrency, Row("falgate"), lambda body: ask(client, body))
            ledger = verify()
        close(row, url)
    rows.append(row)
    if row.bought != ledger:
        differences.append(f"the ledger has {ledger} pictures, fal's books {row.bought}")
    if row.bought > min(each.bought for each in rows[:-1]):
        differences.append("falgate bought more than an exact-response cache")
    return rows, differences


async def play(
    stream: list[bytes], concurrency: int, row: Row, one: Callable[[bytes], Awaitable[str]]
) -> Row:
    """Ask for all of it, so many at once, in the order of the stream."""
    left = iter(stream)
    sources: Counter[str] = Counter()

    async def some() -> None:
        for body in left:
            source = await one(body)
            sources[source] += 1
            row.answers += 1
            row.hits += source in {"hit", "derived", "coalesced"}
            row.asked += json.loads(body).get("num_images", 1)

    await asyncio.gather(*(some() for _ in range(concurrency)))
    row.sources = dict(sources.most_common())
    return row


class ExactCache:
    """Whole answers by the hash of their body."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, shared: bool) -> None:
        """Buy at `url`; identical requests under way share a purchase if it is `shared`."""
        self._client = client
        self._url = url
        self._shared = shared
        self._kept: dict[str, bytes] = {}
        self._under_way: dict[str, asyncio.Future[None]] = {}

    async def ask(self, body: bytes) -> str:
        """Where the answer came from."""
        key = hashlib.sha256(json.dumps(json.loads(body), sort_keys=True).encode()).hexdigest()
        if key in self._under_way:
            await self._under_way[key]
            return "coalesced"
        if key in self._kept:
            return "hit"
        if self._shared:
            self._under_way[key] = asyncio.get_running_loop().create_future()
        answer = await self._client.post(
            self._url, content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == OK, answer.text
        self._kept[key] = answer.content
        if self._shared:
            self._under_way.pop(key).set_result(None)
        return "miss"


async def ask(client: httpx.AsyncClient, body: bytes) -> str:
    """What falgate says of its answer."""
    answer = await client.post(
        f"/{MODEL}", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == OK, answer.text
    pictures = answer.json()["images"]
    assert len(pictures) == json.loads(body).get("num_images", 1)
    return str(answer.headers["x-falgate-cache"])


def close(row: Row, url: str) -> None:
    """What the books of who plays fal say of it."""
    books = upstream.books(url)
    row.bought = sum(entry["delivered"] for entry in books["submits"])
    row.billed_usd = books["billed_micros"] / 1_000_000


@asynccontextmanager
async def gateway(
    folder: Path, sandbox: str
) -> AsyncIterator[tuple[httpx.AsyncClient, Callable[[], int]]]:
    """A client of falgate, and how many pictures its ledger has, once that was verified."""
    host = f"127.0.0.1:{free_port()}"
    env = {
        **os.environ,
        "FALGATE_DATA_DIR": str(folder / "data"),
        "FALGATE_LISTEN": host,
        "FALGATE_LOG_LEVEL": "error",
        "FALGATE_UPSTREAM_URL": f"{sandbox}/queue",
        "FALGATE_ORG_DAILY_USD": "100000",
        "FAL_KEY": "id:secret",
    }
    process = serve(folder, "serve", **env)

    def run(*arguments: str) -> Any:
        command = [sys.executable, "-m", "falgate", *arguments]
        return json.loads(subprocess.run(command, env=env, check=True, capture_output=True).stdout)

    def verify() -> int:
        command = [sys.executable, "-m", "falgate", "ledger", "verify"]
        subprocess.run(command, env=env, check=True, capture_output=True)
        return sum(int(row["bought"]) for row in run("usage", "--format", "json")["rows"])

    try:
        until_answered(f"http://{host}/readyz")
        key = run("keys", "create", "--json")["key"]
        async with httpx.AsyncClient(
            base_url=f"http://{host}", headers={"Authorization": f"Key {key}"}, timeout=60
        ) as client:
            yield client, verify
    finally:
        end(process)


def serve(folder: Path, *arguments: str, **env: str) -> "subprocess.Popen[bytes]":
    """A process of falgate's."""
    command = [sys.executable, "-m", "falgate", *arguments]
    with (folder / f"log-{'-'.join(arguments)}").open("wb") as log:
        return subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop it and wait."""
    process.terminate()
    process.wait(30)


if __name__ == "__main__":
    main()
