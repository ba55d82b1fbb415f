"""Previews: a change is asked for with `?preview=true`, and answered with what it would do."""

import inspect
from collections.abc import Callable, Collection
from functools import wraps
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import QueryParameter
from msgspec import Meta
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.operator import OperatorRecord
from falgate.admin import sentences
from falgate.admin.api.shapes import BudgetShown, KeyShown, OperatorShown
from falgate.admin.rehearsal import (
    Action,
    Rehearsed,
    RehearsedBudgets,
    RehearsedRecords,
    RehearsedStops,
)
from falgate.admin.service import AdminService
from falgate.core.money import dollars
from falgate.money.budget import Position

Asked = Annotated[
    bool,
    QueryParameter(description="Change nothing, and answer with what this would do: a preview"),
]
_OPERATED = ("admin", "accounts")
"""The dependencies that are an administration."""


class ChangeShown(msgspec.Struct, frozen=True, kw_only=True):
    """One record that would change."""

    action: Action
    subject: Annotated[str, Meta(description='Its name; of a key that is not made yet, ""')]
    before: Annotated[Any, Meta(description="The record as it is; null if there is none")]
    after: Annotated[Any, Meta(description="The record as it would be; null if it is removed")]
    says: Annotated[list[str], Meta(description="What that means, one plain sentence each")]
    final: Annotated[bool, Meta(description="Whether it cannot be undone")]


class PreviewShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do. Nothing was changed."""

    changes: Annotated[list[ChangeShown], Meta(description="Empty: it would change nothing")]
    says: Annotated[list[str], Meta(description="All sentences")]
    final: Annotated[bool, Meta(description="Whether any of it cannot be undone")]


def rehearsing(administration: AdminService, changes: list[Rehearsed]) -> AdminService:
    """Return an administration that puts changes into the list, and makes none."""
    return replace(
        administration,
        records=RehearsedRecords(administration.records, changes),
        budget_store=RehearsedBudgets(administration.budget_store, changes),
        stop_store=RehearsedStops(administration.stop_store, changes),
    )


def has_preview(function: Callable[..., Any]) -> bool:
    """Return whether a route only changes what an administration can rehearse."""
    return any(name in inspect.signature(function).parameters for name in _OPERATED)


def previewed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a route: with `?preview=true` it is run on stores that write nothing.

    So a preview is refused in the same words as the change itself.
    """

    @wraps(function)
    async def asked(*, preview: bool, **given: Any) -> Any:
        if not preview:
            return await function(**given)
        changes: list[Rehearsed] = []
        for name in _OPERATED:
            if name in given:
                given[name] = rehearsing(given[name], changes)
        await function(**given)
        operated: AdminService = next(given[name] for name in _OPERATED if name in given)
        return Response(shown(changes, operated, await operated.now_s()), status_code=200)

    # Litestar reads these instead of what was wrapped.
    del asked.__wrapped__
    parameter = inspect.Parameter(
        "preview", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Asked
    )
    signature = inspect.signature(function)
    own = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()
    ]
    asked.__signature__ = signature.replace(  # type: ignore[attr-defined]  # Litestar reads it
        parameters=[*own, parameter]
    )
    asked.__annotations__ = {**function.__annotations__, "preview": Asked}
    return asked


def shown(changes: list[Rehearsed], operated: AdminService, now_s: int) -> PreviewShown:
    """Convert what was rehearsed; without what would change nothing."""
    live = operated.upstreams.get("live", "")
    made = {"key", "operator"}
    new = {each.subject for each in changes if each.action in made and each.before is None}
    each = [
        _change(change, now_s, new, live)
        for change in _joined(changes)
        if change.before != change.after
    ]
    return PreviewShown(
        changes=each,
        says=[sentence for one in each for sentence in one.says],
        final=any(one.final for one in each),
    )


def _joined(changes: list[Rehearsed]) -> list[Rehearsed]:
    """Return one change for each record and action, where a record would change several times."""
    found: dict[tuple[str, ...], Rehearsed] = {}
    for change in changes:
        window = change.after.window.kind if isinstance(change.after, Position) else ""
        place = (change.action, change.subject, window)
        first = found.get(place, change)
        found[place] = replace(first, after=change.after)
    return list(found.values())


def _change(change: Rehearsed, now_s: int, new: Collection[str], live: str) -> ChangeShown:
    """Convert a change. Keys that are not made yet have no id that would stay theirs."""
    name = next((each for each in new if each in change.subject), None)
    said = sentences.says(change, live)
    return ChangeShown(
        action=change.action,
        subject=change.subject.replace(name, "") if name else change.subject,
        before=_record(change.before, now_s),
        after=_record(change.after, now_s, new=change.subject == name),
        says=[each.replace(f"key {name}", "the new key") for each in said] if name else said,
        final=sentences.is_final(change),
    )


def _record(record: Any, now_s: int, *, new: bool = False) -> Any:
    """Return a record as the API shows such a one; the id of a new key is not known yet."""
    match record:
        case None:
            return None
        case KeyRecord():
            key: dict[str, Any] = msgspec.to_builtins(KeyShown.as_of(now_s, record))
            return key | ({"id": ""} if new else {})
        case OperatorRecord():
            operator: dict[str, Any] = msgspec.to_builtins(OperatorShown.as_of(now_s, record))
            return operator | ({"id": ""} if new else {})
        case Position():
            return {
                "window": record.window.kind,
                "budget": msgspec.to_builtins(BudgetShown.of(record.budget))
                if record.budget
                else None,
                "raised_usd": dollars(record.raised),
                "spent_usd": dollars(record.spent),
                "held_usd": dollars(record.held),
            }
        case int():
            return {"limit_usd": dollars(record)}
    return msgspec.to_builtins(record)
