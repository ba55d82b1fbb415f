"""/setup: all that an app needs, in one call: its team, the app, a key, and budgets."""

from typing import Annotated, Literal

import msgspec
from litestar.params import HeaderParameter, JSONBody
from msgspec import Meta
from msgspec.structs import replace

from falgate.accounts.apikey import Kind, Permissions
from falgate.accounts.directory import Name
from falgate.accounts.limits import NONE, Limits
from falgate.accounts.operator import Operator
from falgate.admin.api.budgets import Alerts, Shadow, micros
from falgate.admin.api.keys import Expiry, seconds
from falgate.admin.api.leads import check_limits
from falgate.admin.api.preview import rehearsing
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import KeyShown, Usd
from falgate.admin.key_checks import NOTE_MAX
from falgate.admin.service import AdminService
from falgate.admin.setup import Setup, Wanted
from falgate.core.calendar import Kind as WindowKind
from falgate.core.problems import Forbidden
from falgate.money.budget import Budget

routes = Resource("setup")
_EVERYTHING = Permissions()
BUDGETS_MAX = 15

CallId = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r"^[!-~]{1,64}$",
        description="A name of the call: a second call of this name for the app is refused",
    ),
]


class BudgetWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget to create, of the team, the app or the key."""

    of: Literal["team", "app", "key"] = "key"
    window: WindowKind
    limit_usd: Usd
    shadow: Shadow = False
    alerts: Alerts = []


class KeyWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to create."""

    name: Annotated[
        str, Meta(min_length=1, max_length=NOTE_MAX, description="By it a repeat is recognised")
    ]
    kind: Kind = "live"
    expires_at: Expiry | None = None
    permissions: Permissions = _EVERYTHING
    limits: Limits = NONE


class SetupWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an app is to have."""

    team: Name
    app: Name
    key: KeyWanted
    budgets: Annotated[list[BudgetWanted], Meta(max_length=BUDGETS_MAX)] = []


class SetupDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, with the key, which is shown only this once."""

    key: str
    record: KeyShown
    made: Annotated[list[str], Meta(examples=[["team web", "app web/shop"]])]
    there: Annotated[list[str], Meta(description="What was there already, and stays as it is")]


@routes.post("/setup", "Set an app up", 404, 409, lead=True)
async def set_up(
    *,
    admin: Admin,
    acting: Acting,
    data: JSONBody[SetupWanted],
    idempotency_key: CallId = None,
) -> SetupDone:
    """Makes the team and the app if they are not there, a key, and budgets.

    Everything is checked before anything is written. A budget that is there must be as it is given
    here. A repeat makes no second key: it is refused if it has the same `Idempotency-Key`, or, for
    a day, the same name of the key. If a part fails nevertheless, the detail says what was made.
    """
    await _permit(acting, admin, data)
    wanted = Wanted(
        team=data.team,
        app=data.app,
        kind=data.key.kind,
        name=data.key.name,
        expires_s=seconds(data.key.expires_at),
        permissions=data.key.permissions,
        limits=data.key.limits,
        budgets=[(each.of, each.window, _budget(each)) for each in data.budgets],
    )
    trial = rehearsing(admin, [])
    await Setup(trial, replace(trial, kind=wanted.kind), wanted).check(idempotency_key or "")
    done = await Setup(admin, replace(admin, kind=wanted.kind), wanted).run(idempotency_key or "")
    record = KeyShown.as_of(await admin.now_s(), done.record)
    return SetupDone(key=done.key, record=record, made=list(done.made), there=list(done.there))


def _budget(wanted: BudgetWanted) -> Budget:
    return Budget(limit=micros(wanted.limit_usd), shadow=wanted.shadow, alerts=tuple(wanted.alerts))


async def _permit(acting: Operator, admin: AdminService, asked: SetupWanted) -> None:
    """Keep a lead to the team that they lead, and to what is below its own budgets.

    Raises:
        Forbidden: They ask for more.
    """
    acting.answer_for(asked.team)
    if acting.role != "lead":
        return
    if (await admin.records.directory()).lacks(asked.team, asked.app):
        app = f"{asked.team}/{asked.app}"
        raise Forbidden(f"There is no app {app} yet; ask an admin to make it")
    await check_limits(acting, admin, asked.key.limits)
    if any(each.of == "team" for each in asked.budgets):
        raise Forbidden("A lead sets budgets of apps and keys; ask an admin for one of the team")
