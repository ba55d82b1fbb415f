"""Every bound and deadline that the server holds its clients to."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds; a rate is a number of bytes in every so many seconds.

    Attributes:
        head_bytes_max: Bytes of a message that are not body: request line, fields, chunk sizes,
            trailers and blank lines before it. A body may have as much again as it is long, for
            its chunks. RFC 9110 section 15.5.15, RFC 6585 section 5.
        target_bytes_max: The request target; RFC 9112 section 3 asks for 8,000 at least.
        fields_max: Lines of a head.
        pipelined_max: Requests that wait for their turn on one connection before no more is read.
        head_timeout_s: From a head's first byte to its last, and from a connection's begin to its
            first byte; the TLS handshake has as long.
        body_bytes_min: What must come of a body in every `body_timeout_s`.
        body_timeout_s: See `body_bytes_min`; the rest of a body that was answered unread has this
            in all. Not counted while the server itself does not read.
        write_bytes_min: What a client must take in every `write_timeout_s` of what waits for it.
        write_timeout_s: See `write_bytes_min`.
        idle_timeout_s: How long a connection is kept between two requests.
        unread_bytes_max: The rest of a body that is read and dropped to keep a connection whose
            request was answered early.
        linger_bytes_max: What is read and dropped while the last answer is on its way, so that it
            arrives; RFC 9112 section 9.6.
        linger_s: How long that is done while nothing comes; where something comes it takes
            `body_timeout_s` at most.
        connections_max: Connections in all.
        connections_per_address_max: Connections of one IPv4 address or one IPv6 /64 network.
    """

    head_bytes_max: int = 64 * 1024
    target_bytes_max: int = 8 * 1024
    fields_max: int = 100
    pipelined_max: int = 64
    head_timeout_s: float = 10
    body_bytes_min: int = 16 * 1024
    body_timeout_s: float = 30
    write_bytes_min: int = 16 * 1024
    write_timeout_s: float = 20
    idle_timeout_s: float = 75
    unread_bytes_max: int = 256 * 1024
    linger_bytes_max: int = 32 * 1024 * 1024
    linger_s: float = 2
    connections_max: int = 10_000
    connections_per_address_max: int = 5_000
