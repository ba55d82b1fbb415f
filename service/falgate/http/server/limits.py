"""All limits and deadlines that the server enforces on clients."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes and times seconds; a rate is a pair: bytes that must move per interval.

    Attributes:
        head_bytes_max: Bytes of a message that are not body: request line, fields, chunk sizes,
            trailers and preceding blank lines. For the chunk sizes of a body, its own length is
            allowed on top. RFC 9110 section 15.5.15, RFC 6585 section 5.
        target_bytes_max: The request target; RFC 9112 section 3 requires at least 8,000.
        fields_max: Fields of a head.
        pipelined_max: Requests queued on one connection before reading pauses.
        head_timeout_s: From a head's first byte to its last, and from the start of a connection to
            its first byte; a TLS handshake has as long.
        body_bytes_min: Bytes of a body that must arrive in every `body_timeout_s`.
        body_timeout_s: See `body_bytes_min`; also the total time for the rest of a body that was
            answered unread. Not counted while the server itself pauses reading.
        write_bytes_min: Bytes of waiting output that a client must take in every `write_timeout_s`.
        write_timeout_s: See `write_bytes_min`.
        idle_timeout_s: How long an idle connection is kept between requests.
        unread_bytes_max: How much of the rest of a body is read and dropped to keep a connection
            whose request was answered early.
        linger_bytes_max: How much is read and dropped after the last response, so that it arrives
            (RFC 9112 section 9.6).
        linger_s: How long that lasts after the last byte received; `body_timeout_s` at most in all.
        connections_max: Connections in total.
        connections_per_address_max: Connections per IPv4 address or IPv6 /64 network.
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
