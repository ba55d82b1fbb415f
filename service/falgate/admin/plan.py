"""From what there is to what a file asks for: the steps, in an order in which each can be done."""

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
    """Teams, apps and budgets; those of keys apart, because keys are in no file.

    Attributes:
        teams: By name.
        apps: By "team/app".
        budgets: By account and window.
    """

    teams: dict[str, Team]
    apps: dict[str, App]
    budgets: dict[tuple[Account, Kind], Budget]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One change.

    Attributes:
        action: What is done.
        what: To which kind of record.
        subject: "web", "web/shop", or an account's name.
        kind: A budget's window; None of other records.
        before: The record as it is; None where there is none.
        after: As it will be; None where it will be gone.
        blocked: Why it cannot be done; "" where it can.
    """

    action: Literal["create", "change", "remove"]
    what: Literal["team", "app", "budget"]
    subject: str
    kind: Kind | None = None
    before: Record | None
    after: Record | None
    blocked: str = ""


def plan(now: State, wanted: State, *, prune: bool, in_use: Collection[str]) -> list[Step]:
    """The steps that lead there; none when it is so already.

    Args:
        now: What there is.
        wanted: What is asked for.
        prune: Also remove what is not asked for.
        in_use: Apps that have keys which may be used: they cannot be removed.
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
    """What the organisation is held to comes first: at no time is there nothing that it is."""
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
    """Whether it is one that the organisation is held to."""
    return account == ORGANISATION and not budget.shadow


def _removals(now: State, wanted: State, in_use: Collection[str]) -> Iterator[Step]:
    """What is not asked for goes from the leaves on: budgets, then apps, then teams."""
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
            why = "it has keys that may be used; revoke them first" if app in in_use else ""
            yield Step(
                action="remove", what="app", subject=app, before=record, after=None, blocked=why
            )
    for team, found in now.teams.items():
        if team not in wanted.teams:
            yield Step(action="remove", what="team", subject=team, before=found, after=None)
