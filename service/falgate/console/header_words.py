"""What the headers of an app's answer mean, in a sentence each; pure."""

from collections.abc import Mapping

_MEANINGS: Mapping[str, str] = {
    "x-fal-request-id": "The request's id, by which the request log finds it.",
    "cache-control": "No cache on the way may keep the answer: it was made for one key.",
    "cache-status": "How the cache served it, in the words of RFC 9211.",
    "age": "Seconds since the oldest of its pictures was made.",
    "x-falgate-cache": "How it was served, in one word.",
    "x-falgate-cost-usd": "What it was billed, in US dollars.",
    "x-falgate-saved-usd": "What it would have cost more without the cache, in US dollars.",
    "x-falgate-budget-remaining-usd": "What remains of the tightest budget that pays for it.",
    "x-fal-billable-units": "Units that were bought, as fal says it; 0 when nothing was.",
    "x-falgate-fields-of": "Whose are the fields beside the pictures, where they differ.",
    "x-falgate-ignored": "Fields of the request that the model does not have.",
    "x-falgate-model": "The model that served it, because it was called by another name.",
    "x-falgate-reason": "Why it was refused.",
    "x-fal-error-type": "fal's word for what went wrong.",
    "retry-after": "Seconds after which to try again.",
    "x-fal-request-timeout-type": "Whose time-out ended it: the caller's own.",
}

SOURCES: Mapping[str, str] = {
    "hit": "All of it was in the cache; nothing was bought.",
    "derived": "It was converted from pictures in the cache; nothing was bought.",
    "partial": "Some of it was in the cache; the rest was bought.",
    "coalesced": "Another request was buying the same, and shared it.",
    "miss": "Nothing of it was in the cache, so it was bought.",
    "bypass": "It was bought afresh, as asked.",
}
"""What each way to serve a request means."""


def meaning(name: str) -> str:
    """Return what a header says; "" if it is not one of falgate's or fal's that are known."""
    return _MEANINGS.get(name.lower(), "")
