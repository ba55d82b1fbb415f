"""How the fields of records are called and spelt in sentences; pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

Words = Callable[[Any], str]
_SHARING = {"org": "the whole organisation", "team": "the team's apps", "app": "the app alone"}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in sorted(value.items())) or "none"
    return str(value) if value not in (None, "") else "none"


def _limit(value: Any) -> str:
    return str(value) if value else "no limit"


def _any(value: Any) -> str:
    return _plain(value) if value else "any"


def _age(value: Any) -> str:
    return f"{value} seconds" if value else "any age"


def time(value: Any) -> str:
    """Return seconds since 1970 as a time, 0 as "never"."""
    if not value:
        return "never"
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"


def _until(value: Any) -> str:
    return str(value) if value else "never"


def _own(value: Any) -> str:
    return _plain(value) if value else "what its own file says"


_FIELDS: Mapping[str, tuple[str, Words]] = {
    "limits.requests_per_second": ("limit on requests per second", _limit),
    "limits.generations_per_minute": ("limit on purchases per minute", _limit),
    "limits.generations_at_once": ("limit on purchases at once", _limit),
    "weight": ("weight among teams that wait for a turn", _plain),
    "waiting_generations": ("limit on purchases that wait for a turn", _limit),
    "cache.scope": ("sharing of pictures", lambda value: _SHARING.get(value, "none")),
    "cache.max_age_s": ("largest age of cached pictures", _age),
    "cache.freshness": ("answer to requests that do not mention the cache", _plain),
    "cache.derive": ("conversion of PNG to JPEG and WebP", _plain),
    "cache.identical": ("treatment of identical requests at once", _plain),
    "cache.callers_may": ("list of what callers may override", _plain),
    "cache.ignore_freshness": ("switch to ignore no-cache, no-store and max-age", _plain),
    "cache.keep_prompts": ("storage of prompts", _plain),
    "aliases": ("list of own aliases", _plain),
    "afterwards": ("course after a model's end", _plain),
    "permissions.models": ("list of allowed models", _any),
    "permissions.qualities": ("list of allowed qualities", _any),
    "permissions.sizes": ("list of allowed sizes", _any),
    "permissions.networks": ("list of allowed networks", _any),
    "permissions.pictures_max": ("limit on pictures in a request", _limit),
    "permissions.inputs_max": ("limit on input pictures in a request", _limit),
    "permissions.input_bytes_max": ("limit on bytes of input pictures in a request", _limit),
    "permissions.fresh": ("permission to buy afresh", _plain),
    "permissions.derive": ("conversion of PNG to JPEG and WebP", _plain),
    "name": ("name", _plain),
    "expires_s": ("expiry", time),
    "expires_at": ("expiry", _until),
    "previous_until_s": ("end of the secret before", time),
    "previous_until": ("end of the secret before", _until),
    "successor": ("successor", _own),
}
"""By path in a record: what a field is called, and how a value of it is spelt."""

_UNITS = frozenset({"s", "ms", "at", "bytes", "usd", "micros"})

_SPELT = frozenset({"disabled", "revoked_s", "digest", "previous_digest", "previous_until_s"})
"""Fields of a key that have a sentence of their own."""


def differences(
    what: str, before: Any, after: Any, *, apart: frozenset[str] = _SPELT
) -> Iterator[str]:
    """Yield a sentence for each field that differs, but for those that stand `apart`.

    `what` is the name of the record, "" for one that is new.
    """
    was = flat(before)
    for path, value in flat(after).items():
        if was.get(path) == value or path in apart:
            continue
        words, new = called(path), spelt(path, value) or _plain(value)
        if what:
            old = spelt(path, was.get(path)) or _plain(was.get(path))
            yield f"The {words} of {what} becomes {new}; it was {old}."
        else:
            yield f"Its {words} is {new}."


def is_known(path: str) -> bool:
    """Return whether a field is called by words of its own."""
    return path in _FIELDS


def called(path: str) -> str:
    """Return what a field is called, by its path in a record: else by its name without the unit."""
    if path in _FIELDS:
        return _FIELDS[path][0]
    name, _, unit = path.rpartition(".")[2].rpartition("_")
    return (name if name and unit in _UNITS else path.rpartition(".")[2]).replace("_", " ")


def spelt(path: str, value: Any) -> str:
    """Return how a value of a field is spelt; "" where it has no way of its own."""
    return _FIELDS[path][1](value) if path in _FIELDS else ""


def capital(words: str) -> str:
    """Return words that begin a sentence."""
    return words[:1].upper() + words[1:]


def flat(record: Any) -> dict[str, Any]:
    """Return the fields of a record by their paths, such as "limits.generations_at_once"."""
    found: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, msgspec.Struct):
            found |= {f"{name}.{path}": each for path, each in flat(value).items()}
        else:
            found[name] = value
    return found
