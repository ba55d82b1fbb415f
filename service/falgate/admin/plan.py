"""Plans the steps from the current state to the wanted one, in an executable order."""

from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from falgate.accounts.directory import App, Team
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Kind
from falgate.money.budget import Budget

Record = Team | App | Budget

_UNHELD = "without an enforced budget of the organisation nothing is bought"


class State(msgspec.Struct, frozen=True):
    """Teams, apps and budgets, without the budgets of keys: no file contains keys.

    Attributes:
        teams: By name.
        apps: By "team/app".
        budgets: By account and window.
    """

    teams: dict[str, Team]
    apps: dict[str, App]
    budgets: dict[tuple[Account, Kind], Budget]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one record.

    Attributes:
        action: What is done.
        what: The kind of record.
        subject: "web", "web/shop", or an account's name.
        kind: Window of a budget; None for other records.
        before: The current record; None to create one.
        after: The new record; None to remove it.
        blocked: Why the step cannot be done; "" if it can.
    """

    action: Literal["create", "change", "remove"]
    what: Literal["team", "app", "budget"]
    subject: str
    kind: Kind | None = None
    before: Record | None
    after: Record | None
    blocked: str = ""


def plan(now: State, wanted: State, *, prune: bool, in_use: Collection[str]) -> list[Step]:
    """Return the steps; none if nothing has to change.

    Args:
        now: The current state.
        wanted: The wanted state.
        prune: Also remove records that are not in `wanted`.
        in_use: Apps with active keys, which cannot be removed.
    """
    steps = [
        *_put("team", now.teams, wanted.teams),
        *_put("app", now.apps, wanted.apps),
        *_put_budgets(now, wanted, prune=prune),
    ]
    if prune:
        steps += _removals(now, wanted, in_use)
    return steps


def _put(
    what: Literal["team", "app"],
    now: dict[str, Team] | dict[str, App],
    wanted: dict[str, Team] | dict[str, App],
) -> Iterator[Step]:
    for subject, after in wanted.items():
        before = now.get(subject)
        if before != after:
            action: Literal["create", "change"] = "change" if before else "create"
            yield Step(action=action, what=what, subject=subject, before=before, after=after)


def _put_budgets(now: State, wanted: State, *, prune: bool) -> Iterator[Step]:
    """Plan budgets, enforced ones of the organisation first, so that it is never without one."""
    left = wanted.budgets if prune else {**now.budgets, **wanted.budgets}
    nothing = not any(_holds(account, budget) for (account, _), budget in left.items())
    first = sorted(wanted.budgets.items(), key=lambda each: not _holds(each[0][0], each[1]))
    for (account, kind), after in first:
        before = now.budgets.get((account, kind))
        if before != after:
            lets_go = before is not None and _holds(account, before) and nothing
            yield Step(
                action="change" if before else "create",
                what="budget",
                subject=account.name,
                kind=kind,
                before=before,
                after=after,
                blocked=_UNHELD if lets_go else "",
            )


def _holds(account: Account, budget: Budget) -> bool:
    """Return whether this is an enforced budget of the organisation."""
    return account == ORGANISATION and not budget.shadow


def _removals(now: State, wanted: State, in_use: Collection[str]) -> Iterator[Step]:
    """Plan removals from the leaves up: budgets, then apps, then teams."""
    enforced = any(_holds(account, budget) for (account, _), budget in wanted.budgets.items())
    for (account, kind), before in now.budgets.items():
        if (account, kind) not in wanted.budgets:
            last = account == ORGANISATION and not enforced
            yield Step(
                action="remove",
                what="budget",
                subject=account.name,
                kind=kind,
                before=before,
                after=None,
                blocked=_UNHELD if last else "",
            )
    for app, record in now.apps.items():
        if app not in wanted.apps:
            why = "it has active keys; revoke them first" if app in in_use else ""
            yield Step(
                action="remove", what="app", subject=app, before=record, after=None, blocked=why
            )
    for team, found in now.teams.items():
        if team not in wanted.teams:
            yield Step(action="remove", what="team", subject=team, before=found, after=None)
