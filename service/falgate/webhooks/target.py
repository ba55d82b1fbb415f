"""Webhook URLs: checked when they are given, and shown without what may be secret."""

import re

from falgate.core.errors import InputRejected
from falgate.egress.target import Rules, origin, problem


def check_target(url: str, allowed: Rules) -> None:
    """Check a webhook URL against the rules, as far as possible without a DNS lookup.

    Raises:
        InputRejected: The URL is malformed or not allowed; fal's form, at `fal_webhook`.
    """
    if wrong := problem(url, allowed):
        # The error quotes the origin only: user info, path and query may hold secrets.
        at = ["query", "fal_webhook"]
        issue = {
            "loc": at,
            "msg": f"A webhook {wrong}",
            "type": "value_error",
            "input": origin(url),
        }
        raise InputRejected([issue])


def without_query(url: str) -> str:
    """Return a URL as operators may see it: without its query and fragment."""
    return re.split(r"[?#]", url, maxsplit=1)[0]
