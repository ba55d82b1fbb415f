"""The operator's file: teams, apps, models, budgets and limits as TOML."""

import re
import tomllib
from datetime import date
from typing import Any

import msgspec
import tomli_w
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from falgate.accounts.directory import DEFAULT_MODEL, NAME, Alias, App, Team
from falgate.admin.patch import AppChange, Change, ModelChange, TeamChange, budgeted, merged
from falgate.admin.plan import State
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import KINDS, Kind
from falgate.core.money import dollars, usd
from falgate.core.problems import Invalid
from falgate.money.budget import Budget, Percent

FILE_BYTES_MAX = 1_048_576
_DEPTH_MAX, _DOTS_MAX = 16, 12
# Matches strings and comments as a whole, even unterminated ones, so that brackets and dots in
# them do not count.
_MARK = re.compile(r""""(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|#[^\n]*+|[\[\]{}.,=\n]""")


class _Budget(Change, frozen=True, kw_only=True):
    limit_usd: str | int | UnsetType = UNSET
    shadow: bool | UnsetType = UNSET
    alerts: tuple[Percent, ...] | UnsetType = UNSET


_Budgets = dict[Kind, _Budget]


class _Organisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    budget: _Budgets = {}


class _App(AppChange, frozen=True, kw_only=True):
    budget: _Budgets = msgspec.field(default_factory=dict)


class _Team(TeamChange, frozen=True, kw_only=True):
    budget: _Budgets = msgspec.field(default_factory=dict)
    app: dict[str, _App] = msgspec.field(default_factory=dict)


class _Model(ModelChange, frozen=True, kw_only=True):
    retires: Any = UNSET  # a day of TOML's, or text: "" for that of the model's own file
    budget: _Budgets = msgspec.field(default_factory=dict)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organisation: _Organisation = _Organisation()
    team: dict[str, _Team] = {}
    model: dict[str, _Model] = {}
    alias: dict[str, str] = {}


_NOTHING = State({}, {}, {})


def read(text: str, now: State = _NOTHING) -> State:
    """Parse a file into the wanted state; fields that a record does not give keep their values.

    Raises:
        Invalid: The file is not valid TOML, or has an unknown field or an invalid value.
    """
    check_depth(text)
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except msgspec.ValidationError as error:
        problem, _, field = str(error).partition(" - at `$.")
        raise Invalid(f"{field.rstrip('`') or 'the file'}: {problem}") from None
    except ValueError as error:  # TOML errors, and Python's for a number of 5,000 digits
        raise Invalid(f"This is not valid TOML: {error}") from None
    teams, apps, budgets = {}, {}, _budgets(ORGANISATION, file.organisation.budget, now)
    for name, team in file.team.items():
        _check_name(name)
        teams[name] = merged(now.teams.get(name, Team()), team)
        budgets |= _budgets(Account("team", name), team.budget, now)
        for part, app in team.app.items():
            _check_name(part)
            full = f"{name}/{part}"
            apps[full] = merged(now.apps.get(full, App()), app)
            budgets |= _budgets(Account("app", full), app.budget, now)
    models = {}
    for endpoint, model in file.model.items():
        decided = replace(model, retires=_day(endpoint, model.retires))
        record = merged(now.models.get(endpoint, DEFAULT_MODEL), decided)
        if endpoint in now.models or record != DEFAULT_MODEL:
            models[endpoint] = record
        budgets |= _budgets(Account("model", endpoint), model.budget, now)
    aliases = {name: Alias(target=target) for name, target in file.alias.items()}
    return State(teams, apps, budgets, models, aliases)


def check_depth(text: str) -> None:
    """Reject a file whose nesting would exhaust the TOML parser.

    The parser recurses into every array and table, and its time is quadratic in the parts of a
    dotted key.

    Raises:
        Invalid: The nesting is deeper than any valid file needs.
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
            raise Invalid(f"Line {line + 1} is nested too deeply for a configuration file")


def write(state: State) -> str:
    """Return a file with the whole state; `read` restores it, whatever the state is by then."""
    file: dict[str, Any] = {}
    if own := _own(ORGANISATION, state):
        file["organisation"] = own
    for name, team in sorted(state.teams.items()):
        fields = msgspec.to_builtins(team) | _own(Account("team", name), state)
        apps = {
            app.partition("/")[2]: msgspec.to_builtins(record) | _own(Account("app", app), state)
            for app, record in sorted(state.apps.items())
            if app.startswith(f"{name}/")
        }
        file.setdefault("team", {})[name] = fields | ({"app": apps} if apps else {})
    budgeted_models = {account.id for account, _ in state.budgets if account.level == "model"}
    for endpoint in sorted({*state.models, *budgeted_models}):
        fields = msgspec.to_builtins(state.models.get(endpoint, DEFAULT_MODEL))
        fields["retires"] = fields["retires"] or ""
        file.setdefault("model", {})[endpoint] = fields | _own(Account("model", endpoint), state)
    if state.aliases:
        file["alias"] = {name: alias.target for name, alias in sorted(state.aliases.items())}
    return tomli_w.dumps(file)


def _budgets(account: Account, given: _Budgets, now: State) -> dict[tuple[Account, Kind], Budget]:
    found: dict[tuple[Account, Kind], Budget] = {}
    for kind, said in given.items():
        was = now.budgets.get((account, kind))
        if was is None and said.limit_usd is UNSET:
            raise Invalid(f"{account.name}, {kind} budget: a new budget needs limit_usd")
        try:
            limit = UNSET if said.limit_usd is UNSET else usd(str(said.limit_usd))
        except ValueError as error:
            raise Invalid(f"{account.name}, {kind} budget: {error}") from None
        budget = budgeted(was, said, limit)
        if list(budget.alerts) != sorted(set(budget.alerts)):
            raise Invalid(
                f"{account.name}, {kind} budget: alerts must be ascending without duplicates"
            )
        found[account, kind] = budget
    return found


def _day(endpoint: str, given: Any) -> date | UnsetType | None:
    """Read the day on which a model ends; "" is that of its own file."""
    if given is UNSET or type(given) is date:
        return given
    try:
        return date.fromisoformat(given) if given else None
    except (TypeError, ValueError):
        raise Invalid(f"model {endpoint}: retires must be a day, such as 2026-12-01") from None


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} is not a valid name: use letters, digits, dots, dashes and underscores"
        )


def _own(account: Account, state: State) -> dict[str, Any]:
    """Return the budgets of an account, as its table in the file has them."""
    found = {
        kind: {
            "limit_usd": dollars(budget.limit),
            "shadow": budget.shadow,
            "alerts": list(budget.alerts),
        }
        for kind in KINDS
        if (budget := state.budgets.get((account, kind)))
    }
    return {"budget": found} if found else {}
