"""Memory limit of the embedded Redis: a share of the machine's memory.

At the limit, Redis refuses new work, and callers are told so. Scripts that complete work under way
are exempt (`allow-oom`), so no hold stays open for lack of memory.
"""

import os
from pathlib import Path

_SHARE = 4
_LEAST_BYTES = 64 * 1024 * 1024
_CONTAINERS = Path("/sys/fs/cgroup/memory.max")


def limit_bytes(containers: Path = _CONTAINERS) -> int:
    """Return a quarter of the memory of the machine, or of the container that this runs in."""
    there_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = containers.read_text().strip()
    except OSError:
        allowed = ""
    if allowed.isdigit():
        there_bytes = min(there_bytes, int(allowed))
    return max(_LEAST_BYTES, there_bytes // _SHARE)
