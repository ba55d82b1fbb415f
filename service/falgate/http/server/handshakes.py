"""Lets a listening socket ignore new handshakes, so that closing it loses no connection."""

# The kernel completes handshakes by itself, also between the last `accept` and `close`. It resets a
# connection that nobody has accepted, although its client may have sent a request already. A filter
# closes that gap: the kernel runs it on every segment that arrives for a listening socket, and a
# SYN that it drops begins no handshake. Its client repeats the SYN after a second, and is refused
# then, which every client may safely try elsewhere. Segments of handshakes that have begun pass.

import ctypes
import logging
import socket
import struct
import sys

_LOG = logging.getLogger(__name__)

HANDSHAKE_S = 0.1
"""How long handshakes that have begun may take to complete, in seconds: one round trip."""

_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER of socket(7), which Python's socket module does not name."""

_FLAGS_AT = 13
"""Offset of the flags in a TCP header (RFC 9293 section 3.1)."""
_SYN, _ACK = 0x02, 0x10
_WHOLE = 0xFFFFFFFF

# Classic BPF (linux/filter.h): code, jump if true, jump if false, operand.
_DROP_SYNS = (
    (0x30, 0, 0, _FLAGS_AT),  # load the byte of flags
    (0x54, 0, 0, _SYN | _ACK),  # keep these two
    (0x15, 0, 1, _SYN),  # a SYN alone?
    (0x06, 0, 0, 0),  # yes: drop the segment
    (0x06, 0, 0, _WHOLE),  # no: accept all of it
)


def ignore_new(sock: socket.socket) -> None:
    """Ignore the handshakes that clients begin from now on; those that have begun complete.

    It works on Linux. Elsewhere, and where the kernel refuses, it does nothing: a connection may be
    reset then if it is completed within the microseconds between the last `accept` and `close`.
    """
    if sys.platform != "linux":
        return
    code = b"".join(struct.pack("HBBI", *each) for each in _DROP_SYNS)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", len(_DROP_SYNS), ctypes.addressof(held))
    try:
        sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
    except OSError as error:
        _LOG.warning("New connections cannot be ignored while stopping: %s", error.strerror)
