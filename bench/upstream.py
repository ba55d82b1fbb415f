"""falgate's sandbox as an upstream in a process of its own, which can be made slow."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.processes import free_port, started, until_answered


@contextmanager
def sandbox(folder: Path, **dials: object) -> Iterator[str]:
    """What its URLs begin with; its queue is below /queue."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "falgate", "sandbox", "--port", str(port)]
    with started(f"sandbox-{port}", command, folder):
        until_answered(f"{url}/sandbox/dials")
        turn(url, **dials)
        yield url


def turn(url: str, **dials: object) -> None:
    """Change how it behaves from the next submit on."""
    urllib.request.urlopen(f"{url}/sandbox/dials", json.dumps(dials).encode()).close()


def end_work(url: str) -> None:
    """End the work on all requests now."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/sandbox/work", method="DELETE")).close()


def forget(url: str) -> None:
    """Begin with empty books."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/sandbox/books", method="DELETE")).close()


def books(url: str) -> dict[str, Any]:
    """What was submitted, delivered and billed."""
    with urllib.request.urlopen(f"{url}/sandbox/books") as answer:
        found: dict[str, Any] = json.load(answer)
    return found
