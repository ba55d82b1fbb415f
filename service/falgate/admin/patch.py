"""Partial updates: change structs, whose fields may be unset, and their application to records."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from falgate.accounts.apikey import Permissions
from falgate.accounts.cache_settings import CachePolicy
from falgate.accounts.directory import App, Model, Team
from falgate.accounts.limits import Limits, PurchaseRates
from falgate.core.money import Micros
from falgate.core.problems import Invalid
from falgate.money.budget import Budget

T = TypeVar("T", bound=msgspec.Struct)


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a record: fields that are not given keep their values."""


def with_fields(fields: Iterable[tuple[str, Any, Any]]) -> Callable[[type[T]], type[T]]:
    """Decorate a struct: it gets these fields, except those that it declares itself.

    Args:
        fields: Name, type and default of each.
    """

    def completed(cls: type[T]) -> type[T]:
        more = [each for each in fields if each[0] not in cls.__struct_fields__]
        about = {"__doc__": cls.__doc__}
        made: Any = msgspec.defstruct(
            cls.__name__, more, bases=(cls,), module=cls.__module__, namespace=about, kw_only=True
        )
        whole: type[T] = made
        return whole

    return completed


def change_of(record: type[msgspec.Struct]) -> Callable[[type[T]], type[T]]:
    """Decorate a change: it gets all fields of the record that it does not declare itself."""
    fields = msgspec.structs.fields(record)
    return with_fields([(each.name, each.type | UnsetType, UNSET) for each in fields])


@change_of(Limits)
class LimitsChange(Change, frozen=True, kw_only=True):
    """Rate limits to change; 0 removes a limit."""


@change_of(PurchaseRates)
class PurchaseRatesChange(Change, frozen=True, kw_only=True):
    """Limits on purchases to change; 0 removes a limit."""


@change_of(CachePolicy)
class CachingChange(Change, frozen=True, kw_only=True):
    """Cache settings of an app to change."""


@change_of(Permissions)
class PermissionsChange(Change, frozen=True, kw_only=True):
    """Permissions of a key to change; an empty list allows everything."""


@change_of(Team)
class TeamChange(Change, frozen=True, kw_only=True):
    """Fields of a team to change."""

    limits: LimitsChange | UnsetType = UNSET


@change_of(Model)
class ModelChange(Change, frozen=True, kw_only=True):
    """Fields of a model to change."""

    limits: PurchaseRatesChange | UnsetType = UNSET


@change_of(App)
class AppChange(Change, frozen=True, kw_only=True):
    """Fields of an app to change."""

    limits: LimitsChange | UnsetType = UNSET
    cache: CachingChange | UnsetType = UNSET


def budgeted(was: Budget | None, change: msgspec.Struct, limit: Micros | UnsetType) -> Budget:
    """Apply a change and a limit to a budget, or create one.

    Raises:
        Invalid: A new budget has no limit.
    """
    if limit is UNSET:
        if was is None:
            raise Invalid("limit: there is no such budget yet, and a new budget needs a limit")
        limit = was.limit
    return merged(replace(was or Budget(limit=limit), limit=limit), change)


def merged(record: T, change: msgspec.Struct) -> T:
    """Return a record with the given fields of a change applied, recursively.

    Fields that the record does not have are ignored.
    """
    given: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(change, name, UNSET)
        if isinstance(value, msgspec.Struct):
            given[name] = merged(getattr(record, name), value)
        elif value is not UNSET:
            given[name] = tuple(value) if isinstance(value, list) else value
    return replace(record, **given)
