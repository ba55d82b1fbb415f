"""Signed links to pictures: good for a while, for one picture, and made by this ledger alone."""

import base64
import hashlib
import hmac
import re

GRANULE_S = 60
"""Ends of links are whole minutes: answers within one are the same bytes."""
SKEW_S = 60
"""What an instance makes of Redis's clock may be so far off, while it cannot ask."""

_DIGITS = re.compile(r"[0-9]{1,12}")


def signed(name: str, secret: bytes, now_s: int, ttl_s: int) -> str:
    """The query of a link.

    Args:
        name: Of the picture's file.
        secret: The ledger's own.
        now_s: Seconds since 1970.
        ttl_s: How long it is to be good, at least.
    """
    expires_s = -(-(now_s + ttl_s) // GRANULE_S) * GRANULE_S
    return f"expires={expires_s}&signature={_signature(name, str(expires_s), secret)}"


def left_s(name: str, expires: str, signature: str, secret: bytes, now_s: int) -> int | None:
    """How long a link is good still, at most 0 where it is not any more.

    None where this ledger has never signed it.
    """
    if not _DIGITS.fullmatch(expires):
        return None
    if not hmac.compare_digest(signature.encode(), _signature(name, expires, secret).encode()):
        return None
    return int(expires) + SKEW_S - now_s


def _signature(name: str, expires: str, secret: bytes) -> str:
    digest = hmac.new(secret, f"picture:{name}:{expires}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
