"""Partial updates of records: fields that are not given keep their values."""

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from falgate.accounts.cache_settings import Freshness, Identical, Override, Scope, Seconds
from falgate.accounts.directory import Weight
from falgate.accounts.limits import Limit
from falgate.core.money import Micros
from falgate.core.problems import Invalid
from falgate.money.budget import Budget, Percent

T = TypeVar("T", bound=msgspec.Struct)


class LimitsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rate limits to change; 0 removes a limit."""

    requests_per_second: Limit | UnsetType = UNSET
    generations_per_minute: Limit | UnsetType = UNSET
    generations_at_once: Limit | UnsetType = UNSET


class CachingChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cache settings of an app to change."""

    scope: Scope | UnsetType = UNSET
    max_age_s: Seconds | UnsetType = UNSET
    freshness: Freshness | UnsetType = UNSET
    derive: bool | UnsetType = UNSET
    identical: Identical | UnsetType = UNSET
    callers_may: tuple[Override, ...] | UnsetType = UNSET
    ignore_freshness: bool | UnsetType = UNSET
    keep_prompts: bool | UnsetType = UNSET


class TeamChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of a team to change."""

    limits: LimitsChange | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    waiting_generations: Limit | UnsetType = UNSET


class AppChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of an app to change."""

    limits: LimitsChange | UnsetType = UNSET
    cache: CachingChange | UnsetType = UNSET


class BudgetChange(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a budget to change, or those of a new one."""

    limit: Micros | UnsetType = UNSET
    shadow: bool | UnsetType = UNSET
    alerts: tuple[Percent, ...] | UnsetType = UNSET


def budgeted(was: Budget | None, change: BudgetChange) -> Budget:
    """Apply a change to a budget, or create one.

    Raises:
        Invalid: A new budget has no limit.
    """
    if was is None:
        if change.limit is UNSET:
            raise Invalid("limit: there is no such budget yet, and a new budget needs a limit")
        was = Budget(limit=change.limit)
    return merged(was, change)


def merged(record: T, change: msgspec.Struct) -> T:
    """Return a record with the given fields of a change applied, recursively."""
    given: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(change).items():
        if isinstance(value, msgspec.Struct):
            given[name] = merged(getattr(record, name), value)
        elif value is not UNSET:
            given[name] = tuple(value) if isinstance(value, list) else value
    return replace(record, **given)
