"""Nothing that callers ask for blocks the event loop, which all others wait for."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import stalls
import uvloop
from patience import PATIENCE_S
from processes import reserved_port
from stalls import EVERY_S, STALL_S, watching

ROOT = Path(__file__).parents[2]
MODEL = "/fal-ai/gpt-image-1.5"
PICTURE_BYTES = 1_500_000
LONG = 1_000_000
"""Nearly as long as a body may be."""
HITS, MISSES, SYNC = 200, 12, 4
DONE = "COMPLETED"


@pytest.fixture
def upstream_url(tmp_path: Path) -> Iterator[str]:
    """An upstream that delivers large pictures at once."""
    with reserved_port() as port, (tmp_path / "upstream").open("wb") as said:
        command = [sys.executable, "-m", "bench.stub", str(port), str(PICTURE_BYTES)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        end_s = time.monotonic() + PATIENCE_S
        try:
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert process.poll() is None
                assert time.monotonic() < end_s
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}/queue"
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """Where stalls are noted."""
    return tmp_path / "stalls"


@pytest.fixture
def watched(
    serve: Callable[..., AbstractContextManager[Any]],
    upstream_url: str,
    noted: Path,
    tmp_path: Path,
) -> Iterator[Any]:
    """A gateway that notes what blocks its loop."""
    settings = {"upstream_url": upstream_url, "fal_key": "id:secret", "org_daily_usd": "100000"}
    command = [sys.executable, stalls.__file__, str(noted)]
    with serve(tmp_path, command, log_level="info", **settings) as gateway:
        yield gateway


async def loaded(apps: httpx.AsyncClient, operators: httpx.AsyncClient, name: str) -> None:
    """Ask for everything that takes long, all at once."""

    async def ask(path: str = MODEL, status: int = 200, **arguments: Any) -> Any:
        answer = await apps.post(path, json={"prompt": name, "quality": "low", **arguments})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def look(path: str, client: httpx.AsyncClient = apps) -> httpx.Response:
        answer = await client.get(path)
        assert answer.is_success, answer.text
        return answer

    async def queue() -> None:
        queued = await ask(f"/queue{MODEL}", prompt=f"{name}, queued {LONG * 'x'}")
        while (await look(queued["status_url"])).json()["status"] != DONE:
            pass
        await look(queued["response_url"])

    many: dict[str, Any] = {f"more{each}": each for each in range(LONG // 20)}
    (bought,) = (await ask())["images"]
    async with asyncio.TaskGroup() as tasks:
        for call in (
            *(ask() for _ in range(HITS)),
            *(ask(prompt=f"{name}, {each}") for each in range(MISSES)),
            *(ask(output_format=each, sync_mode=True) for each in ("jpeg", "webp")),
            *(ask(sync_mode=True) for _ in range(SYNC)),
            ask(prompt=f"{name} {LONG * 'x'}"),
            ask(more=LONG * "x"),
            ask(**many),
            ask(prompt=[[]] * (LONG // 5), status=422),
            queue(),
            *(look(bought["url"]) for _ in range(SYNC)),
            look("/metrics"),
            look("/docs/openapi.json"),
            look("/usage?by=team,app,key,model,quality,outcome,day", operators),
            look("/usage.csv", operators),
            look("/audit", operators),
        ):
            tasks.create_task(call)


async def test_no_request_blocks_the_loop_again_and_again(watched: Any, noted: Path) -> None:
    """What blocks it does so each time; a machine that stalls hits no place twice."""
    found = []
    async with watched.client() as apps, watched.admin() as operators:
        for name in ("a fox", "a hare"):
            await loaded(apps, operators, name)
            found.append(stalls.taken(noted))

    again = found[0].keys() & found[1].keys()
    assert not again, found


def compute(seconds: float) -> None:
    """Need the core for so long."""
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


def sleep(seconds: float) -> None:
    """Wait for so long, as for a disk."""
    time.sleep(seconds)


def hold(seconds: float) -> None:
    """Hold the interpreter's lock for so long, as code in C does."""
    began_s, numbers = time.thread_time(), 4_000_000
    while time.thread_time() - began_s < seconds:
        began_s, numbers = time.thread_time(), numbers * 2
        sum(range(numbers))


def times_noted(noted: Path, place: str, block: Callable[[], Awaitable[None] | None]) -> int:
    """In how many stalls a place is noted if this is called once in a watched loop."""

    async def run() -> None:
        with watching(asyncio.get_running_loop(), noted):
            await asyncio.sleep(2 * EVERY_S)
            if (blocked := block()) is not None:
                await blocked
            await asyncio.sleep(2 * EVERY_S)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    return len(stalls.taken(noted).get(place, ()))


def until_noted_twice(noted: Path, place: str, block: Callable[[], Awaitable[None] | None]) -> None:
    """Call this until the place is noted twice; on a busy machine it may not be each time."""
    end_s, found = time.monotonic() + PATIENCE_S, 0
    while found < 2:
        assert time.monotonic() < end_s
        found += times_noted(noted, place, block)


@pytest.mark.parametrize("block", [compute, sleep, hold], ids=lambda block: block.__name__)
def test_a_call_that_blocks_is_noted(block: Callable[[float], None], noted: Path) -> None:
    until_noted_twice(noted, f"test_stalls.py: {block.__name__}", partial(block, 2 * STALL_S))


def test_a_thread_that_holds_the_interpreters_lock_is_noted(noted: Path) -> None:
    block = partial(asyncio.to_thread, hold, 2 * STALL_S)

    until_noted_twice(noted, "test_stalls.py: hold", block)


def test_a_thread_that_leaves_the_loop_alone_is_not_noted(noted: Path) -> None:
    block = partial(asyncio.to_thread, sleep, 2 * STALL_S)
    found = [times_noted(noted, "test_stalls.py: sleep", block) for _ in range(2)]

    assert 0 in found  # Once may be the machine.
