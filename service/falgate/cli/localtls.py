"""A certificate for this machine: a local authority, made once, and what clients need to trust it.

fal's Python client speaks only https. Nothing is installed into the system: a client is told to
trust the authority by its environment, and nobody else does.
"""

import fcntl
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import msgspec
import trustme

from falgate.private import make_folder, put

NAMES = ("localhost", "queue.localhost", "127.0.0.1", "::1")

# Apple's systems take no certificate that is valid for longer than 825 days.
VALID_DAYS = 800
RENEW_DAYS = 30
_DAY_S = 86_400


class LocalTls(msgspec.Struct, frozen=True):
    """The files of a local authority and of the one certificate that it issued.

    Attributes:
        cert: The server's certificate.
        key: The server's private key.
        ca: The authority's certificate alone, for `NODE_EXTRA_CA_CERTS`.
        bundle: The authority's certificate and the public ones, for `SSL_CERT_FILE`.
    """

    cert: Path
    key: Path
    ca: Path
    bundle: Path


def ensure(directory: Path) -> LocalTls:
    """Find the files whole, or make what is missing, torn or about to expire; a whole CA is kept.

    Raises:
        OSError: The directory cannot be written.
    """
    make_folder(directory)
    directory.chmod(0o700)
    tls = LocalTls(
        cert=directory / "cert.pem",
        key=directory / "key.pem",
        ca=directory / "ca.pem",
        bundle=directory / "bundle.pem",
    )
    ca_key = directory / "ca-key.pem"
    with _alone(directory):
        if not _works(tls):
            authority = _kept(tls.ca, ca_key)
            if authority is not None:
                _issue(tls, authority)
            # A kept authority of which certificate and key are no pair signs what nobody trusts.
            if authority is None or not _works(tls):
                authority = trustme.CA(
                    organization_name="falgate, this machine only", path_length=0
                )
                put(ca_key, authority.private_key_pem.bytes())
                put(tls.ca, authority.cert_pem.bytes())
                _issue(tls, authority)
        trusted = tls.ca.read_bytes() + Path(certifi.where()).read_bytes()
        if not tls.bundle.exists() or tls.bundle.read_bytes() != trusted:
            put(tls.bundle, trusted)
    return tls


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Let one process at a time make files that have to fit each other."""
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _kept(ca: Path, ca_key: Path) -> trustme.CA | None:
    try:
        return trustme.CA.from_pem(ca.read_bytes(), ca_key.read_bytes())
    except (OSError, TypeError, ValueError):  # TypeError: a key under a password
        return None


def _issue(tls: LocalTls, authority: trustme.CA) -> None:
    now = datetime.now(tz=UTC).replace(tzinfo=None)  # X.509's times are in UTC without saying so
    issued = authority.issue_cert(
        *NAMES,
        organization_name="falgate, this machine only",
        # Clocks of a machine and of its containers differ.
        not_before=now - timedelta(days=1),
        not_after=now + timedelta(days=VALID_DAYS),
    )
    put(tls.key, issued.private_key_pem.bytes())
    put(tls.cert, issued.cert_chain_pems[0].bytes())


def _works(tls: LocalTls) -> bool:
    """Whether a client that trusts the authority would talk to a server with this certificate."""
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(tls.cert, tls.key)
        client = ssl.create_default_context(cafile=str(tls.ca))
        ends_s = min(_shake_hands(server, client, name) for name in NAMES)
    except (OSError, ValueError):  # ssl's errors are OSErrors
        return False
    return ends_s - datetime.now(tz=UTC).timestamp() > RENEW_DAYS * _DAY_S


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> float:
    """Connect the two in memory; return when the certificate ends, in seconds since 1970."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up, server_hostname=name)
    answering = server.wrap_bio(up, down, server_side=True)
    waiting = [asking, answering]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    certificate = asking.getpeercert()
    assert certificate is not None, "the client asked for it"
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))
