"""Applies an operator's file: reads the current state, plans the steps, and executes them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from falgate.accounts.directory import DEFAULT_MODEL, Alias, Model
from falgate.admin.plan import Record, State, Step, plan
from falgate.admin.service import AdminService
from falgate.core.problems import Conflict


async def state(administration: AdminService) -> State:
    """Return the current state, except the budgets of keys."""
    budgets = {
        (position.account, position.window.kind): position.budget
        for position in await administration.budgets.all()
        if position.budget is not None and position.account.level != "key"
    }
    directory = await administration.records.directory()
    return State(directory.teams, directory.apps, budgets, directory.models, directory.aliases)


async def prepare(administration: AdminService, wanted: State, *, prune: bool) -> list[Step]:
    """Plan the steps from the current state to the wanted one."""
    keys = await administration.keys.all()
    operators = await administration.operators.all()
    in_use = {f"{key.team}/{key.app}" for key in keys if not key.revoked_s}
    in_use |= {lead.team for lead in operators if not lead.revoked_s}
    now, served = await state(administration), tuple(administration.models)
    return plan(now, wanted, prune=prune, in_use=in_use, served=served)


async def act(administration: AdminService, steps: Sequence[Step]) -> None:
    """Execute the steps, or none of them if one is blocked.

    Raises:
        Conflict: A step is blocked, or a record was changed after the plan was made. In the latter
            case the steps before it are done, and a new plan has the rest.
    """
    if blocked := [step for step in steps if step.blocked]:
        first = blocked[0]
        raise Conflict(f"{first.what} {first.subject} cannot be {first.action}d: {first.blocked}")
    for step in steps:
        await _act(administration, step)


async def _act(administration: AdminService, step: Step) -> None:
    planned = partial(_as_planned, step)
    if not isinstance(step.place, str):
        if step.after is None:
            await administration.budgets.remove(*step.place)
        else:
            await administration.budgets.set(*step.place, planned)
        return
    match step.what, step.after:
        case "model", _:

            def decided(was: Model) -> Model:
                model: Model | None = planned(None if was == DEFAULT_MODEL else was)
                return model or DEFAULT_MODEL

            await administration.served.change(step.place, decided)
        case "alias", None:
            await administration.aliases.remove(step.place)
        case "alias", Alias() as alias:
            await administration.aliases.set(step.place, alias)
        case _:
            await _act_named(administration, step, step.place)


async def _act_named(administration: AdminService, step: Step, name: str) -> None:
    """Execute a step about a team or an app."""
    named: Any = administration.teams if step.what == "team" else administration.apps
    if step.after is None:
        await named.remove(name)
    elif step.before is None:
        await named.create(name, step.after)
    else:
        await named.change(name, partial(_as_planned, step))


def _as_planned(step: Step, was: Record | None) -> Any:
    """Return the planned record if the current one is as the plan found it.

    Raises:
        Conflict: It was changed meanwhile and is not overwritten.
    """
    if was != step.before:
        raise Conflict(f"{step.what} {step.subject} was changed meanwhile; make a new plan")
    return step.after
