"""Signed picture links: each gives access to one picture until it expires."""

import base64
import hashlib
import hmac
import re

GRANULE_S = 60
"""Expiry times are rounded up to whole minutes, so that responses within one are identical."""
SKEW_S = 60
"""Tolerance for an instance's estimate of Redis's clock while Redis is away."""

_DIGITS = re.compile(r"[0-9]{1,12}")


def signed(name: str, secret: bytes, now_s: int, ttl_s: int) -> str:
    """Return the query string of a signed link.

    Args:
        name: The picture's file name.
        secret: The ledger's link secret.
        now_s: Seconds since 1970.
        ttl_s: Minimum lifetime, seconds.
    """
    expires_s = -(-(now_s + ttl_s) // GRANULE_S) * GRANULE_S
    return f"expires={expires_s}&signature={_signature(name, str(expires_s), secret)}"


def left_s(name: str, expires: str, signature: str, secret: bytes, now_s: int) -> int | None:
    """Return the remaining lifetime of a link, seconds; 0 or less once it has expired.

    None if the signature is not this ledger's.
    """
    if not _DIGITS.fullmatch(expires):
        return None
    if not hmac.compare_digest(signature.encode(), _signature(name, expires, secret).encode()):
        return None
    return int(expires) + SKEW_S - now_s


def _signature(name: str, expires: str, secret: bytes) -> str:
    digest = hmac.new(secret, f"picture:{name}:{expires}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
