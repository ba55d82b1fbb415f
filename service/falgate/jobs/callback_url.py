"""Addresses of fal's completion webhooks: a job's id, and a MAC that shows it is one of ours."""

import hashlib
import hmac
import re

PATH = "/hooks/fal"

_TOKEN = re.compile(r"([0-9A-Za-z-]{1,64})\.([0-9a-f]{64})")


def address(base_url: str, secret: bytes, job_id: str) -> str:
    """Return the URL to which fal reports the end of a job.

    Args:
        base_url: How fal reaches this gateway, such as "https://pictures.example".
        secret: The ledger's own secret.
        job_id: The job.
    """
    return f"{base_url.rstrip('/')}{PATH}/{job_id}.{_mac(secret, job_id)}"


def job_of(token: str, secret: bytes) -> str | None:
    """Return the job id in the last part of an address; None if the MAC is not of this ledger."""
    found = _TOKEN.fullmatch(token)
    if not found or not hmac.compare_digest(found[2], _mac(secret, found[1])):
        return None
    return found[1]


def _mac(secret: bytes, job_id: str) -> str:
    return hmac.new(secret, f"hook:{job_id}".encode(), hashlib.sha256).hexdigest()
