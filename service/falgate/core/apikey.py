"""Keys of apps and of the administrator: their form, checksum and digest.

`fg_live_<id>_<secret>_<checksum>`: id 64 bits and secret 256 bits in base 62, and the CRC-32 of all
before it in base 62, so that a scanner can tell a leaked key from noise without asking anybody.
"""

import hashlib
import hmac
import re
import string
import zlib
from typing import Literal

import msgspec

Kind = Literal["live", "test"]
"""Live keys spend real money where a real fal key is set; test keys only ever reach the sandbox."""

ID_BYTES = 8
SECRET_BYTES = 32

_DIGITS = string.digits + string.ascii_letters
_ID_CHARACTERS, _SECRET_CHARACTERS, _CHECKSUM_CHARACTERS = 11, 43, 6
_FORM = re.compile(r"(fg_(live|test|admin)_([0-9A-Za-z]{11})_([0-9A-Za-z]{43}))_([0-9A-Za-z]{6})")


class Presented(msgspec.Struct, frozen=True):
    """A key that somebody presented: well-formed, with a right checksum, not yet looked up.

    Attributes:
        kind: "live", "test" or "admin".
        id: The public part, by which the record is found.
        digest: SHA-256 of the secret, hex; the secret itself is let go of.
    """

    kind: Literal["live", "test", "admin"]
    id: str
    digest: str

    def matches(self, digest: str) -> bool:
        """Compare with a stored digest in constant time."""
        return hmac.compare_digest(self.digest, digest)


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an app's key: everything but its secret.

    Attributes:
        id: Its public part.
        kind: Decides the upstream, see `Kind`.
        digest: SHA-256 of its secret, hex.
        team: Who answers for its spending.
        app: Who sees what it bought.
        name: A note for people.
        created_s: Redis time, seconds since 1970.
        revoked_s: Since when it may no longer be used; 0 while it may.
    """

    id: str
    kind: Kind
    digest: str
    team: str
    app: str
    name: str
    created_s: int
    revoked_s: int = 0


def mint(kind: Literal["live", "test", "admin"], id_bytes: bytes, secret_bytes: bytes) -> str:
    """Spell a new key from `ID_BYTES` and `SECRET_BYTES` of the caller's randomness."""
    assert len(id_bytes) == ID_BYTES
    assert len(secret_bytes) == SECRET_BYTES
    body = "_".join(
        (
            "fg",
            kind,
            _base62(int.from_bytes(id_bytes, "big"), _ID_CHARACTERS),
            _base62(int.from_bytes(secret_bytes, "big"), _SECRET_CHARACTERS),
        )
    )
    return f"{body}_{_checksum(body)}"


def present(text: str) -> Presented | None:
    """Read a key; None when its form or checksum is wrong, so that junk costs no look-up."""
    found = _FORM.fullmatch(text)
    if not found or _checksum(found[1]) != found[5]:
        return None
    digest = hashlib.sha256(found[4].encode()).hexdigest()
    return msgspec.convert({"kind": found[2], "id": found[3], "digest": digest}, Presented)


def from_header(authorization: str) -> str | None:
    """The key in an Authorization header: `Key ...` as fal's clients send it, or `Bearer ...`."""
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() in {"key", "bearer"} and value.strip() else None


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_CHARACTERS)


def _base62(number: int, characters: int) -> str:
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    assert number == 0
    return "".join(reversed(digits))
