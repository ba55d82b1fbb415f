"""Validation of request heads beyond the syntax that llhttp checks.

A server and a proxy in front of it must agree where each message ends, or one caller can smuggle a
request into another's connection. So whatever two parsers could read differently is refused, and
the connection closed (RFC 9112 section 11.2).
"""

import re
from http import HTTPStatus
from typing import NamedTuple

Field = tuple[bytes, bytes]
"""A header field: lower-case name and value."""

# llhttp also accepts RTSP, ICE and the HTTP/2 preface. CONNECT would open an opaque tunnel.
_OTHER_METHODS = frozenset(
    b"CONNECT PRI SOURCE DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER "
    b"REDIRECT RECORD FLUSH".split()
)
_VERSIONS = frozenset({"1.0", "1.1"})
_JUDGED = frozenset({b"host", b"transfer-encoding", b"expect", b"content-length"})
# RFC 3986 section 3.2.2, with a port: an IP literal in brackets, or a name, which may be empty.
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d{0,5})?", re.ASCII)
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_HTTP_1_0 = "1.0"


class Refused(Exception):
    """A request that is not served; the connection closes after the response.

    Attributes:
        status: Status of the response.
        detail: What is wrong, in one sentence.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Head(NamedTuple):
    """The relevant parts of a request's head.

    Attributes:
        path: Path of the target, with its percent-escapes.
        query: The part after its question mark.
        expects_continue: Whether the client waits for 100 Continue before it sends the body.
        length: Length of the body, bytes; None if it is chunked or absent.
    """

    path: bytes
    query: bytes
    expects_continue: bool
    length: int | None


def judge(method: bytes, target: bytes, version: str, fields: list[Field]) -> Head:
    """Validate a head that llhttp has parsed.

    Args:
        method: In upper case.
        target: The request target.
        version: For example "1.1".
        fields: All header fields; an absolute target's authority replaces the Host in them.

    Raises:
        Refused: The request is not served.
    """
    _check_start(method, version)
    hosts: list[bytes] = []
    codings: list[bytes] = []
    expects = False
    length: int | None = None
    for name, value in fields:
        if name not in _JUDGED:
            continue
        if name == b"host":
            hosts.append(value)
        elif name == b"transfer-encoding":
            codings.append(value)
        elif name == b"content-length":  # llhttp has checked it: digits that fit into 64 bits.
            length = int(value)
        elif version != _HTTP_1_0:  # RFC 9110 section 10.1.1: Expect is ignored in HTTP/1.0.
            expects = _expects_continue(value)
    if codings:
        _check_codings(version, codings)
    authority, path, query = _locate(method, target)
    _check_hosts(version, hosts, authority)
    if authority is not None:  # RFC 9112 section 3.2.2: the authority replaces Host.
        fields[:] = [(b"host", authority), *(each for each in fields if each[0] != b"host")]
    return Head(path, query, expects, length)


def _check_start(method: bytes, version: str) -> None:
    if version not in _VERSIONS:
        raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Only HTTP/1.1 and 1.0 are supported.")
    if method in _OTHER_METHODS:
        raise Refused(HTTPStatus.NOT_IMPLEMENTED, "This method is not implemented.")


def _check_hosts(version: str, hosts: list[bytes], authority: bytes | None) -> None:
    """Require one Host in HTTP/1.1 and at most one in HTTP/1.0 (RFC 9112 section 3.2)."""
    if len(hosts) > 1 or (not hosts and version != _HTTP_1_0):
        raise Refused(HTTPStatus.BAD_REQUEST, "There must be exactly one Host header.")
    for host in hosts if authority is None else (*hosts, authority):
        if not _HOST.fullmatch(host):
            raise Refused(HTTPStatus.BAD_REQUEST, "Invalid host header")


def _expects_continue(value: bytes) -> bool:
    if value.lower() != b"100-continue":
        raise Refused(HTTPStatus.EXPECTATION_FAILED, "The only supported Expect is 100-continue.")
    return True


def _check_codings(version: str, codings: list[bytes]) -> None:
    """Allow only chunked, and only in HTTP/1.1 (RFC 9112 section 6.1).

    llhttp has already refused a Transfer-Encoding beside a Content-Length.
    """
    if version == _HTTP_1_0:
        raise Refused(HTTPStatus.BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding.")
    names = [each.strip().lower() for each in b",".join(codings).split(b",")]
    if names.count(b"chunked") > 1 or (b"chunked" in names and names[-1] != b"chunked"):
        raise Refused(HTTPStatus.BAD_REQUEST, "chunked must be the last coding and occur once.")
    if names != [b"chunked"]:
        raise Refused(HTTPStatus.NOT_IMPLEMENTED, "The only supported coding is chunked.")


def _locate(method: bytes, target: bytes) -> tuple[bytes | None, bytes, bytes]:
    """Split a target into authority (if absolute), path and query (RFC 9112 section 3.2)."""
    authority: bytes | None = None
    if target[:1] != b"/":
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute:
            authority, target = absolute[1], absolute[2]
            if not authority:
                raise Refused(HTTPStatus.BAD_REQUEST, "The request target has no host.")
            if target[:1] != b"/":
                target = b"/" + target
        elif target != b"*" or method != b"OPTIONS":
            raise Refused(HTTPStatus.BAD_REQUEST, "The request target is not a path.")
    if b"#" in target or not target.isascii():
        raise Refused(HTTPStatus.BAD_REQUEST, "The request target is not a path.")
    path, _, query = target.partition(b"?")
    return authority, path, query
