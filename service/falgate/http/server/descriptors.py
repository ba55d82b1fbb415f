"""File descriptors: as many as the process may have, and how many of them clients may take."""

import resource

_SPARE = 64
"""What the process itself has open: listeners, logs, the loop."""


def room_for_connections(wanted: int) -> int:
    """Raise the soft limit to the hard one; of that a quarter stays for Redis, store and upstream.

    Without that quarter, clients who only connect would keep the gateway from what it lives on.

    Args:
        wanted: Connections that should be possible.

    Returns:
        Connections that are possible, `wanted` at most.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 2 * (wanted + _SPARE))
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(1, min(wanted, hard * 3 // 4 - _SPARE))
