"""The benchmark: requests a second of a hit beside those of `/healthz`, in one interleaved run.

`make bench` runs it. One gateway process on one core, wrk on another where there is one; the ratio
of the two rows is what can be compared between machines and versions.
"""

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
from pathlib import Path

ROUNDS = 5
SECONDS = 2
CONNECTIONS = (1, 32, 256)
HTTP = "127.0.0.1:18480"
HTTPS = "localhost:18443"
PATH = "/fal-ai/gpt-image-1.5"
BODY = json.dumps({"prompt": "a lighthouse at dawn", "quality": "low"})


def main() -> None:
    """Measure and print."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        gateway = start(Path(folder))
        try:
            key = (Path(folder) / "data" / "app-key").read_text().strip()
            buy(key)
            script = Path(folder) / "hit.lua"
            script.write_text(
                f'wrk.method = "POST"\nwrk.body = {json.dumps(BODY)}\n'
                f'wrk.headers["Authorization"] = "Key {key}"\n'
                'wrk.headers["Content-Type"] = "application/json"\n'
            )
            for connections in CONNECTIONS:
                report(connections, script)
        finally:
            gateway.terminate()
            gateway.wait(30)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """A gateway with the sandbox, ready to answer."""
    env = {
        **os.environ,
        "FALGATE_DATA_DIR": str(folder / "data"),
        "FALGATE_LISTEN": HTTP,
        "FALGATE_TLS_LISTEN": HTTPS,
        "FALGATE_LOG_LEVEL": "warning",
    }
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [*pinned(0), sys.executable, "-m", "falgate", "run"], env=env, stdout=log, stderr=log
    )
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://{HTTP}/readyz").close()
        except OSError:
            time.sleep(0.1)
        else:
            return process
    process.terminate()
    sys.exit((folder / "log").read_text())


def buy(key: str) -> None:
    """Pay for the picture, so that every further request is a hit."""
    headers = {"Authorization": f"Key {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{HTTP}{PATH}", BODY.encode(), headers)
    for wanted in ("miss", "hit"):
        with urllib.request.urlopen(request) as answer:
            assert answer.headers["X-Falgate-Cache"] == wanted


def report(connections: int, script: Path) -> None:
    """Run both alternately, and print medians."""
    rates: dict[str, list[float]] = {"healthz": [], "hit": []}
    for _ in range(ROUNDS):
        rates["healthz"].append(wrk(connections, "/healthz"))
        rates["hit"].append(wrk(connections, PATH, "-s", str(script)))
    healthz, hit = (statistics.median(rates[name]) for name in ("healthz", "hit"))
    print(
        f"{connections:4d} connections: hit {hit:7.0f}/s, /healthz {healthz:7.0f}/s, "
        f"ratio {hit / healthz:.2f}"
    )


def wrk(connections: int, path: str, *more: str) -> float:
    """Requests a second; anything but 200s is a failure."""
    command = [*pinned(1), "wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", *more]
    text = subprocess.run(
        [*command, f"http://{HTTP}{path}"], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(text)
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found
    return float(found[1])


def pinned(core: int) -> list[str]:
    """A prefix that keeps a process on one core, where there are two and a tool for it."""
    if shutil.which("taskset") is None or os.cpu_count() == 1:
        return []
    return ["taskset", "-c", str(core)]


if __name__ == "__main__":
    main()
