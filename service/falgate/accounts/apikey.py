"""Keys of apps, operators and the first admin: format, checksum, digest, and an app's record.

`fg_live_<id>_<secret>_<checksum>`: 64 bits of id and 256 bits of secret in base 62, then the CRC-32
of everything before it, also in base 62, so that a scanner can recognise a leaked key offline.
"""

import hashlib
import hmac
import re
import string
import zlib
from math import inf
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from falgate.accounts.limits import NONE, Limits

Kind = Literal["live", "test"]
"""A live key spends real money if a real fal key is set; a test key only reaches the sandbox."""

Form = Literal["live", "test", "admin", "oper"]
"""What a key opens: apps' routes, or those of operators, to the first admin or to an operator."""

ID_BYTES = 8
SECRET_BYTES = 32

_DIGITS = string.digits + string.ascii_letters
_ID_CHARACTERS, _SECRET_CHARACTERS, _CHECKSUM_CHARACTERS = 11, 43, 6
_FORM = re.compile(
    r"(fg_(live|test|admin|oper)_([0-9A-Za-z]{11})_([0-9A-Za-z]{43}))_([0-9A-Za-z]{6})"
)


class Presented(msgspec.Struct, frozen=True):
    """A key as presented by a caller: well-formed with a valid checksum, but not yet looked up.

    Attributes:
        kind: See `Form`.
        id: The public part, by which the record is found.
        digest: SHA-256 of the secret, hex; the secret itself is not kept.
    """

    kind: Form
    id: str
    digest: str

    def matches(self, digest: str) -> bool:
        """Compare with a stored digest in constant time."""
        return hmac.compare_digest(self.digest, digest)


class Permissions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key may be used for; an empty list permits everything.

    Attributes:
        models: Endpoints, such as "fal-ai/gpt-image-1.5", and families, "openai/gpt-image-2.5/*".
        qualities: Such as "low".
        sizes: Such as "1024x1024".
        pictures_max: Per request; 0 means as many as the model makes.
        inputs_max: Input pictures per request, masks included; 0 means as many as the model takes.
        input_bytes_max: Bytes of all of them together; 0 means as many as falgate takes.
        networks: Client addresses, such as "10.0.0.0/8" or "2001:db8::/32".
        fresh: Whether it may buy pictures that are already cached.
        derive: Whether it may get a JPEG or WebP that falgate converted from a PNG.
    """

    models: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    pictures_max: Annotated[int, Meta(ge=0, le=1000)] = 0
    inputs_max: Annotated[int, Meta(ge=0, le=1000)] = 0
    input_bytes_max: Annotated[int, Meta(ge=0, le=10**12)] = 0
    networks: tuple[str, ...] = ()
    fresh: bool = True
    derive: bool = True


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of any key, without its secret. Times are Redis's, seconds since 1970.

    Attributes:
        id: Public part of the key.
        digest: SHA-256 of the secret, hex.
        name: A note for people.
        created_s: When the key was created.
        expires_s: When the key stops working; 0 means never.
        disabled: Whether the key is disabled for now.
        revoked_s: When the key was revoked for good; 0 if it was not.
        previous_digest: Digest of the secret before the last rotation, or "".
        previous_until_s: Until when the previous secret still works.
    """

    id: str
    digest: str
    name: str
    created_s: int
    expires_s: int = 0
    disabled: bool = False
    revoked_s: int = 0
    previous_digest: str = ""
    previous_until_s: int = 0

    @property
    def place(self) -> str:
        """Sort key: keys order by creation time, then by id."""
        return f"{self.created_s:012}-{self.id}"

    def unusable(self, now_s: int) -> str | None:
        """Return "revoked", "disabled" or "expired" if the key may not be used now, else None."""
        if self.revoked_s:
            return "revoked"
        if self.disabled:
            return "disabled"
        if self.expires_s and now_s >= self.expires_s:
            return "expired"
        return None

    def rotated(self, digest: str, overlap_s: int, now_s: int) -> Self:
        """Return the record with a new secret, beside which the present one works for a while."""
        return replace(
            self,
            digest=digest,
            previous_digest=self.digest if overlap_s else "",
            previous_until_s=now_s + overlap_s if overlap_s else 0,
        )

    def has_secret_of(self, presented: Presented, now_s: int) -> bool:
        """Return whether a presented key has the secret, or the previous one while valid.

        Both are compared, each in constant time.
        """
        current = presented.matches(self.digest)
        before = presented.matches(self.previous_digest) and now_s < self.previous_until_s
        return current or before


class KeyRecord(Credential, frozen=True, kw_only=True):
    """The stored record of an app's key.

    Attributes:
        kind: Decides the upstream, see `Kind`.
        team: The team that is charged.
        app: The app that is charged, named within its team.
        permissions: What the key may be used for.
        limits: Rate and concurrency limits.
    """

    kind: Kind
    team: str
    app: str
    permissions: Permissions = Permissions()
    limits: Limits = NONE

    def changes_s(self, now_s: int) -> float:
        """Return when what the key may do next changes by itself; `inf` if it does not."""
        return min(
            (at_s for at_s in (self.expires_s, self.previous_until_s) if at_s > now_s), default=inf
        )

    def opened_by(self, presented: Presented, now_s: int) -> bool:
        """Return whether a presented key is this one; see `has_secret_of`."""
        # The kind is part of the key, so one presented with another kind was tampered with.
        return self.has_secret_of(presented, now_s) and presented.kind == self.kind


def mint(kind: Form, id_bytes: bytes, secret_bytes: bytes) -> str:
    """Format a new key from `ID_BYTES` and `SECRET_BYTES` of random bytes."""
    assert len(id_bytes) == ID_BYTES
    key_id = _base62(int.from_bytes(id_bytes, "big"), _ID_CHARACTERS)
    return remint(kind, key_id, secret_bytes)


def remint(kind: Form, key_id: str, secret_bytes: bytes) -> str:
    """Format a new key with an existing id and a new secret of `SECRET_BYTES` random bytes."""
    assert len(secret_bytes) == SECRET_BYTES
    secret = _base62(int.from_bytes(secret_bytes, "big"), _SECRET_CHARACTERS)
    body = f"fg_{kind}_{key_id}_{secret}"
    return f"{body}_{_checksum(body)}"


def present(text: str) -> Presented | None:
    """Parse a key; None if its format or checksum is wrong, so that junk costs no look-up."""
    found = _FORM.fullmatch(text)
    if not found or _checksum(found[1]) != found[5]:
        return None
    digest = hashlib.sha256(found[4].encode()).hexdigest()
    return msgspec.convert({"kind": found[2], "id": found[3], "digest": digest}, Presented)


def minted(key: str) -> Presented:
    """Parse a key that was made by `mint` or `remint`."""
    presented = present(key)
    assert presented is not None
    return presented


def from_header(authorization: str) -> str | None:
    """Return the key in an Authorization header: fal's form `Key ...`, or `Bearer ...`."""
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
