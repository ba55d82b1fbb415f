"""How much memory the embedded Redis may fill: a share of what there is, so that the rest can live.

At the limit it refuses new work, which the flow says as such; whatever ends work that is under way
is let through (`allow-oom` in its script), so no hold stays open for want of memory.
"""

import os
from pathlib import Path

_SHARE = 4
_LEAST_BYTES = 64 * 1024 * 1024
_CONTAINERS = Path("/sys/fs/cgroup/memory.max")


def limit_bytes(containers: Path = _CONTAINERS) -> int:
    """A quarter of the machine's memory, or of the container's that this runs in."""
    there_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = containers.read_text().strip()
    except OSError:
        allowed = ""
    if allowed.isdigit():
        there_bytes = min(there_bytes, int(allowed))
    return max(_LEAST_BYTES, there_bytes // _SHARE)
