"""Plans the steps from the current state to the wanted one, in an executable order."""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, TypeVar

import msgspec

from falgate.accounts.directory import Alias, App, Model, Team
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Kind
from falgate.money.budget import Budget

Record = Team | App | Model | Alias | Budget
Place = str | tuple[Account, Kind]
"""Where a record is: the name of a team, app, model or alias, or a budget's account and window."""

P = TypeVar("P", bound=Place)
What = Literal["team", "app", "model", "alias", "budget"]

_UNHELD = "without an enforced budget of the organisation nothing is bought"


class State(msgspec.Struct, frozen=True):
    """Teams, apps, models and budgets, without the budgets of keys: no file contains keys.

    Attributes:
        teams: By name.
        apps: By "team/app".
        budgets: By account and window.
        models: By endpoint; those about which nothing was decided are left out.
        aliases: By name.
    """

    teams: dict[str, Team]
    apps: dict[str, App]
    budgets: dict[tuple[Account, Kind], Budget]
    models: Mapping[str, Model] = {}
    aliases: Mapping[str, Alias] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one record.

    Attributes:
        what: The kind of record.
        place: Where it is.
        before: The current record; None to create one.
        after: The new record; None to remove it.
        blocked: Why the step cannot be done; "" if it can.
    """

    what: What
    place: Place
    before: Record | None
    after: Record | None
    blocked: str = ""

    @property
    def action(self) -> Literal["create", "change", "remove"]:
        """What is done."""
        if self.after is None:
            return "remove"
        return "change" if self.before else "create"

    @property
    def subject(self) -> str:
        """The name of the team, of the app, of the model, or of the budget's account."""
        return self.place if isinstance(self.place, str) else self.place[0].name

    @property
    def model(self) -> str | None:
        """The endpoint of the model that is limited; None for others."""
        if isinstance(self.place, str):
            return self.place if self.what == "model" else None
        return self.place[0].id if self.place[0].level == "model" else None

    @property
    def kind(self) -> Kind | None:
        """The window of a budget; None for other records."""
        return None if isinstance(self.place, str) else self.place[1]


def plan(
    now: State,
    wanted: State,
    *,
    prune: bool,
    in_use: Collection[str],
    served: Collection[str],
) -> list[Step]:
    """Return the steps; none if nothing has to change.

    Args:
        now: The current state.
        wanted: The wanted state.
        prune: Also remove records that are not in `wanted`.
        in_use: Apps with active keys, and teams with leads, which cannot be removed.
        served: Endpoints of the models that can be limited.
    """
    left = wanted.budgets if prune else {**now.budgets, **wanted.budgets}
    held = any(_holds(*each) for each in left.items())
    # Enforced budgets of the organisation come first, so that it is never without one.
    budgets = dict(sorted(wanted.budgets.items(), key=lambda each: not _holds(*each)))
    steps = [
        *_put("team", now.teams, wanted.teams),
        *_put("app", now.apps, wanted.apps),
        *_put("model", now.models, wanted.models),
        *_put("alias", now.aliases, wanted.aliases),
        *_put("budget", now.budgets, budgets),
    ]
    if prune:
        steps += [
            *_removed("budget", now.budgets, wanted.budgets),
            *_removed("alias", now.aliases, wanted.aliases),
            *_removed("model", now.models, wanted.models),
            *_removed("app", now.apps, wanted.apps),
            *_removed("team", now.teams, wanted.teams),
        ]
    return [
        msgspec.structs.replace(step, blocked=_blocked(step, held, in_use, served))
        for step in steps
    ]


def _put(what: What, now: Mapping[P, Record], wanted: Mapping[P, Record]) -> Iterator[Step]:
    for place, after in wanted.items():
        if now.get(place) != after:
            yield Step(what=what, place=place, before=now.get(place), after=after)


def _removed(what: What, now: Mapping[P, Record], wanted: Mapping[P, Record]) -> Iterator[Step]:
    for place, before in now.items():
        if place not in wanted:
            yield Step(what=what, place=place, before=before, after=None)


def _holds(place: tuple[Account, Kind], budget: Budget) -> bool:
    """Return whether this is an enforced budget of the organisation."""
    return place[0] == ORGANISATION and not budget.shadow


_WHY_KEPT: Mapping[What, str] = {
    "app": "it has active keys; revoke them first",
    "team": "it has a lead; revoke the lead's key first",
}


def _blocked(step: Step, held: bool, in_use: Collection[str], served: Collection[str]) -> str:
    if isinstance(step.before, Budget) and step.subject == ORGANISATION.name and not held:
        return _UNHELD if step.after is None or not step.before.shadow else ""
    if step.after is None and step.subject in in_use and step.what in _WHY_KEPT:
        return _WHY_KEPT[step.what]
    if step.after is not None and step.model not in {None, *served}:
        return f"falgate serves no such model; it serves {', '.join(served)}"
    return ""
