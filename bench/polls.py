"""The benchmark of polling: what one core sustains, and whether purchases go on beside 2,000 polls.

`make bench` runs it. The gateway has one core; the sandbox that plays fal, wrk and the pollers have
the other. fal works on 20 requests at once, a second on each; all others wait in falgate's line.
"""

import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable
from itertools import chain
from pathlib import Path

from hits import pinned

HTTP, SANDBOX = "127.0.0.1:18482", "127.0.0.1:18483"
SLOTS, WORK_S = 20, 1.0
POLLERS, POLL_PAUSE_S = 2_000, 0.1
PHASE_S = 10
BOUGHT_MAX = int(SLOTS / WORK_S * PHASE_S * 5)
OK = 200
PATH = "/queue/fal-ai/gpt-image-1.5"


def main() -> None:
    """Measure and print."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        sandbox = serve(Path(folder), 1, "sandbox", "--port", SANDBOX.partition(":")[2])
        env = {
            "FALGATE_DATA_DIR": str(Path(folder) / "data"),
            "FALGATE_LISTEN": HTTP,
            "FALGATE_TLS_LISTEN": "localhost:18484",
            "FALGATE_LOG_LEVEL": "error",
            "FALGATE_UPSTREAM_URL": f"http://{SANDBOX}/queue",
            "FALGATE_UPSTREAM_CONCURRENCY": str(SLOTS),
            "FALGATE_ORG_DAILY_USD": "100000",
            "FAL_KEY": "id:secret",
        }
        until(f"http://{SANDBOX}/sandbox/dials")
        gateway = serve(Path(folder), 0, "run", **env)
        try:
            until(f"http://{HTTP}/readyz")
            key = (Path(folder) / "data" / "app-key").read_text().strip()
            asyncio.run(measure(key, Path(folder)))
        finally:
            for process in (gateway, sandbox):
                process.terminate()
                process.wait(30)


def serve(folder: Path, core: int, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
    """A process of falgate's on one core."""
    command = [*pinned(core), sys.executable, "-m", "falgate", *arguments]
    with (folder / f"log-{arguments[0]}").open("wb") as log:
        return subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)


def until(url: str) -> None:
    """Wait until somebody answers there."""
    for _ in range(300):
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"nobody answers at {url}")


def turn(**dials: object) -> None:
    """Change how fal behaves from the next submit on."""
    body = json.dumps(dials).encode()
    urllib.request.urlopen(f"http://{SANDBOX}/sandbox/dials", body).close()


class Connection:
    """One connection that is kept alive: as little of a client as there can be."""

    def __init__(self, key: str) -> None:
        self._head = (
            f"Host: {HTTP}\r\nAuthorization: Key {key}\r\nContent-Type: application/json\r\n"
        )

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of an answer."""
        if not hasattr(self, "_reader"):
            host, _, port = HTTP.partition(":")
            self._reader, self._writer = await asyncio.open_connection(host, int(port))
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(answer[9:12]), await self._reader.readexactly(length)


async def submit(connection: Connection, wish: str) -> str:
    """The id of a new request."""
    body = json.dumps({"prompt": wish, "quality": "low", "output_format": "jpeg"}).encode()
    status, answer = await connection.ask("POST", PATH, body)
    assert status == OK, answer
    return str(json.loads(answer)["request_id"])


async def measure(key: str, folder: Path) -> None:
    """Purchases alone, beside pollers, and beside polls as fast as they go."""
    turn(work_s=WORK_S)
    submitting = [Connection(key) for _ in range(8)]
    total = BOUGHT_MAX + POLLERS
    parts = [range(first, total, len(submitting)) for first in range(len(submitting))]

    async def submit_all(connection: Connection, numbers: range) -> list[tuple[int, str]]:
        return [(number, await submit(connection, f"wish {number}")) for number in numbers]

    done = await asyncio.gather(*map(submit_all, submitting, parts))
    waiting = [request_id for _, request_id in sorted(chain(*done))][BOUGHT_MAX:]
    print(f"{SLOTS} at fal at once, {WORK_S:g} s each; {len(waiting)} more wait in the line")
    await report("nobody polls", asyncio.sleep(PHASE_S))
    polling = asyncio.create_task(poll_all(key, waiting))
    await asyncio.sleep(PHASE_S)  # Until all of them have been told once.
    await report("2,000 poll, 0.1 s after each answer", polling)
    await report("polls as fast as they go (wrk)", flood(key, waiting, folder))


async def report(name: str, phase: Awaitable[object]) -> None:
    """What was bought while something else went on."""
    before, began_s = purchases(), time.monotonic()
    found = await phase
    bought = (purchases() - before) / (time.monotonic() - began_s)
    print(f"{name:38s} {bought:5.1f} purchases/s {found or ''}")


def purchases() -> float:
    """How many jobs have been settled so far."""
    text = urllib.request.urlopen(f"http://{HTTP}/metrics").read().decode()
    return sum(
        float(found)
        for found in re.findall(r"^falgate_purchases_total{.*} (\S+)", text, re.MULTILINE)
    )


async def poll_all(key: str, request_ids: list[str]) -> str:
    """As that many of fal's Python clients do; how often they were answered, and how soon."""
    took_s: list[float] = []
    begin_s = time.monotonic() + PHASE_S
    end_s = begin_s + PHASE_S

    async def poll(request_id: str) -> None:
        connection = Connection(key)
        while time.monotonic() < end_s:
            began_s = time.monotonic()
            status, body = await connection.ask("GET", f"{PATH}/requests/{request_id}/status")
            if began_s >= begin_s:
                took_s.append(time.monotonic() - began_s)
            assert status in {200, 202}, body
            await asyncio.sleep(POLL_PAUSE_S)

    await asyncio.gather(*map(poll, request_ids))
    return f"beside {len(took_s) / PHASE_S:.0f} answers/s, median {statistics.median(took_s):.2f} s"


async def flood(key: str, request_ids: list[str], folder: Path) -> str:
    """Each request in its turn: nobody was told a moment ago, so that all are answered at once."""
    paths = ",".join(f'"{PATH}/requests/{request_id}/status"' for request_id in request_ids)
    script = folder / "polls.lua"
    script.write_text(
        f"local paths, turn = {{{paths}}}, 0\n"
        f'local headers = {{["Authorization"] = "Key {key}"}}\n'
        "function request()\n"
        "  turn = turn % #paths + 1\n"
        '  return wrk.format("GET", paths[turn], headers)\n'
        "end\n"
    )
    command = [*pinned(1), "wrk", "-t1", "-c32", f"-d{PHASE_S}s", "-s", str(script)]
    wrk = await asyncio.create_subprocess_exec(
        *command, f"http://{HTTP}", stdout=asyncio.subprocess.PIPE
    )
    text = (await wrk.communicate())[0].decode()
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if found is None or "Non-2xx" in text:
        sys.exit(text)
    return f"beside {float(found[1]):.0f} answers/s"


if __name__ == "__main__":
    main()
