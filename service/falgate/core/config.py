"""The operator's file: teams, apps, budgets and limits as TOML, read and written."""

import re
import tomllib
from typing import Annotated, Any

import msgspec
import tomli_w
from msgspec import Meta

from falgate.core.admin_errors import Invalid
from falgate.core.budget import ORGANISATION, Account, Budget, Percent
from falgate.core.caching import USUAL, Caching
from falgate.core.calendar import KINDS, Kind
from falgate.core.directory import NAME, App, Team
from falgate.core.limits import NONE, Limit, Limits
from falgate.core.money import dollars, usd
from falgate.core.plan import State

FILE_BYTES_MAX = 1_048_576
_DEPTH_MAX, _DOTS_MAX = 16, 12
# Strings and comments as a whole, also those that do not end: what is in them is no mark.
_MARK = re.compile(r""""(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|#[^\n]*+|[\[\]{}.,=\n]""")


class _Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit_usd: str | int
    shadow: bool = False
    alerts: tuple[Percent, ...] = ()


_Budgets = dict[Kind, _Budget]


class _Organisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    budget: _Budgets = {}


class _App(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limits: Limits = NONE
    cache: Caching = USUAL
    budget: _Budgets = {}


class _Team(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limits: Limits = NONE
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1
    waiting_generations: Limit = 0
    budget: _Budgets = {}
    app: dict[str, _App] = {}


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organisation: _Organisation = _Organisation()
    team: dict[str, _Team] = {}


def read(text: str) -> State:
    """What a file asks for.

    Raises:
        Invalid: It is no TOML, has a field that is not known, or a value that makes no sense.
    """
    _check_depth(text)
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except msgspec.ValidationError as error:
        problem, _, field = str(error).partition(" - at `$.")
        raise Invalid(f"{field.rstrip('`') or 'the file'}: {problem}") from None
    except ValueError as error:  # TOML's own errors, and Python's for a number of 5,000 digits
        raise Invalid(f"This is no TOML: {error}") from None
    teams, apps, budgets = {}, {}, _budgets(ORGANISATION, file.organisation.budget)
    for name, team in file.team.items():
        _check_name(name)
        teams[name] = Team(
            limits=team.limits,
            weight=team.weight,
            waiting_generations=team.waiting_generations,
        )
        budgets |= _budgets(Account("team", name), team.budget)
        for part, app in team.app.items():
            _check_name(part)
            apps[f"{name}/{part}"] = App(limits=app.limits, cache=app.cache)
            budgets |= _budgets(Account("app", f"{name}/{part}"), app.budget)
    return State(teams, apps, budgets)


def _check_depth(text: str) -> None:
    """Let no file pass that takes the reader's stack, or the square of its length.

    The reader recurses into each list and table, and looks at every beginning of a dotted key.

    Raises:
        Invalid: It is deeper than any file of ours.
    """
    depth = dots = line = 0
    for found in _MARK.finditer(text):
        match found[0]:
            case "[" | "{":
                depth, dots = depth + 1, 0
            case "]" | "}":
                depth = max(0, depth - 1)
            case ".":
                dots += 1
            case "=" | ",":
                dots = 0
            case "\n":
                line, dots = line + 1, 0
        if depth > _DEPTH_MAX or dots > _DOTS_MAX:
            raise Invalid(f"Line {line + 1} is nested too deeply for a file of teams and budgets")


def write(state: State) -> str:
    """A file that asks for what there is; `read` gives the same state back."""
    file: dict[str, Any] = {}
    if found := _tables(ORGANISATION, state):
        file["organisation"] = {"budget": found}
    for name, team in sorted(state.teams.items()):
        fields = _fields(team) | _own(Account("team", name), state)
        apps = {
            app.partition("/")[2]: _fields(record) | _own(Account("app", app), state)
            for app, record in sorted(state.apps.items())
            if app.startswith(f"{name}/")
        }
        file.setdefault("team", {})[name] = fields | ({"app": apps} if apps else {})
    return tomli_w.dumps(file)


def _budgets(account: Account, given: _Budgets) -> dict[tuple[Account, Kind], Budget]:
    found: dict[tuple[Account, Kind], Budget] = {}
    for kind, budget in given.items():
        try:
            limit = usd(str(budget.limit_usd))
        except ValueError as error:
            raise Invalid(f"{account.name}, {kind} budget: {error}") from None
        if list(budget.alerts) != sorted(set(budget.alerts)):
            raise Invalid(f"{account.name}, {kind} budget: alerts ascend, each of them once")
        found[account, kind] = Budget(limit=limit, shadow=budget.shadow, alerts=budget.alerts)
    return found


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no name: letters, digits, dots, dashes and underscores")


def _own(account: Account, state: State) -> dict[str, Any]:
    found = _tables(account, state)
    return {"budget": found} if found else {}


def _tables(account: Account, state: State) -> dict[str, Any]:
    return {
        kind: {
            "limit_usd": dollars(budget.limit),
            **({"shadow": True} if budget.shadow else {}),
            **({"alerts": list(budget.alerts)} if budget.alerts else {}),
        }
        for kind in KINDS
        if (budget := state.budgets.get((account, kind)))
    }


def _fields(record: Team | App) -> dict[str, Any]:
    """A record's fields that are not as they are by themselves."""
    usual = msgspec.to_builtins(type(record)())
    fields = msgspec.to_builtins(record)
    fields["limits"] = {name: value for name, value in fields["limits"].items() if value}
    usual["limits"] = {}
    if "cache" in fields:
        ways = msgspec.to_builtins(USUAL)
        fields["cache"] = {
            name: value for name, value in fields["cache"].items() if value != ways[name]
        }
        usual["cache"] = {}
    return {name: value for name, value in fields.items() if value != usual[name]}
