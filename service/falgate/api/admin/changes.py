"""Changes of a part of a record: what a body does not name stays as it is."""

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from falgate.core.caching import Freshness, Identical, Override, Seconds
from falgate.core.directives import Scope
from falgate.core.limits import Limit

T = TypeVar("T", bound=msgspec.Struct)


class LimitsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits on pace; 0 sets none."""

    requests_per_second: Limit | UnsetType = UNSET
    generations_per_minute: Limit | UnsetType = UNSET
    generations_at_once: Limit | UnsetType = UNSET


class CachingChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an app uses the cache."""

    scope: Scope | UnsetType = UNSET
    max_age_s: Seconds | UnsetType = UNSET
    freshness: Freshness | UnsetType = UNSET
    derive: bool | UnsetType = UNSET
    identical: Identical | UnsetType = UNSET
    callers_may: tuple[Override, ...] | UnsetType = UNSET
    keep_prompts: bool | UnsetType = UNSET


def merged(record: T, change: msgspec.Struct) -> T:
    """A record with the fields that a change names, those of records within it likewise."""
    given: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(change).items():
        if isinstance(value, msgspec.Struct):
            given[name] = merged(getattr(record, name), value)
        elif value is not UNSET:
            given[name] = tuple(value) if isinstance(value, list) else value
    return replace(record, **given)
