"""File descriptors: raises the process's limit and computes how many connections it allows."""

import resource

_SPARE = 64
"""Descriptors of the process itself: listeners, logs, the event loop."""


def room_for_connections(wanted: int) -> int:
    """Raise the soft limit to the hard limit; return how many client connections it allows.

    A quarter is reserved for Redis, the store and the upstream, so that clients who merely connect
    cannot cut the gateway off from them.

    Args:
        wanted: Desired number of connections.

    Returns:
        Possible number of connections, at most `wanted`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 2 * (wanted + _SPARE))
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(1, min(wanted, hard * 3 // 4 - _SPARE))
