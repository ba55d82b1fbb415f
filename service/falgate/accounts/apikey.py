"""Keys of apps and of the administrator: their form, checksum and digest.

`fg_live_<id>_<secret>_<checksum>`: id 64 bits and secret 256 bits in base 62, and the CRC-32 of all
before it in base 62, so that a scanner can tell a leaked key from noise without asking anybody.
"""

import hashlib
import hmac
import re
import string
import zlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from falgate.accounts.limits import NONE, Limits

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


class Permissions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key may ask for; an empty list allows everything.

    Attributes:
        models: Endpoints, such as "fal-ai/gpt-image-1.5".
        qualities: Such as "low".
        sizes: Such as "1024x1024".
        pictures_max: In one request; 0: as many as the model makes.
        networks: Addresses that may use it, such as "10.0.0.0/8" or "2001:db8::/32".
        fresh: Whether it may buy pictures anew that are there already.
        derive: Whether it may be answered with a JPEG or WebP that was made here from a PNG.
    """

    models: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    pictures_max: Annotated[int, Meta(ge=0, le=1000)] = 0
    networks: tuple[str, ...] = ()
    fresh: bool = True
    derive: bool = True


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an app's key: everything but its secret. Times are Redis's, in seconds.

    Attributes:
        id: Its public part.
        kind: Decides the upstream, see `Kind`.
        digest: SHA-256 of its secret, hex.
        team: Who answers for its spending.
        app: Who sees what it bought; named within its team.
        name: A note for people.
        created_s: When it was made, seconds since 1970.
        expires_s: From when on it may no longer be used; 0: never.
        disabled: It may not be used for now.
        revoked_s: Since when it may never be used again; 0 while it may.
        previous_digest: Of the secret before the last rotation, or "".
        previous_until_s: Until when that one is still good.
        permissions: What it may ask for.
        limits: On its pace.
    """

    id: str
    kind: Kind
    digest: str
    team: str
    app: str
    name: str
    created_s: int
    expires_s: int = 0
    disabled: bool = False
    revoked_s: int = 0
    previous_digest: str = ""
    previous_until_s: int = 0
    permissions: Permissions = Permissions()
    limits: Limits = NONE

    @property
    def place(self) -> str:
        """Where it stands among keys, the oldest first: these words sort as the keys do."""
        return f"{self.created_s:012}-{self.id}"

    def unusable(self, now_s: int) -> str | None:
        """Why it may not be used now: "revoked", "disabled" or "expired"; None while it may."""
        if self.revoked_s:
            return "revoked"
        if self.disabled:
            return "disabled"
        if self.expires_s and now_s >= self.expires_s:
            return "expired"
        return None

    def opened_by(self, presented: Presented, now_s: int) -> bool:
        """Whether what is presented has this key's secret, or the one before while that is good.

        Both are compared, each in constant time.
        """
        current = presented.matches(self.digest)
        before = presented.matches(self.previous_digest) and now_s < self.previous_until_s
        # A key whose kind was edited is not the key that was handed out.
        return (current or before) and presented.kind == self.kind


def mint(kind: Literal["live", "test", "admin"], id_bytes: bytes, secret_bytes: bytes) -> str:
    """Spell a new key from `ID_BYTES` and `SECRET_BYTES` of the caller's randomness."""
    assert len(id_bytes) == ID_BYTES
    key_id = _base62(int.from_bytes(id_bytes, "big"), _ID_CHARACTERS)
    return remint(kind, key_id, secret_bytes)


def remint(kind: Literal["live", "test", "admin"], key_id: str, secret_bytes: bytes) -> str:
    """Spell a key that has its id already, with a new secret of `SECRET_BYTES`."""
    assert len(secret_bytes) == SECRET_BYTES
    secret = _base62(int.from_bytes(secret_bytes, "big"), _SECRET_CHARACTERS)
    body = f"fg_{kind}_{key_id}_{secret}"
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
    match authorization.split(maxsplit=1):
        case [_, value] if authorization.lower().startswith(("key", "bearer")):
            return value.strip()
    return None


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_CHARACTERS)


def _base62(number: int, characters: int) -> str:
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    assert number == 0
    return "".join(reversed(digits))
