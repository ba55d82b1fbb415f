"""/stops: what operators stopped.

In paths, subjects are written with colons only: organisation:main, team:web, app:web:shop,
model:fal-ai:gpt-image-1.5.
"""

from typing import Annotated

import msgspec
from litestar.params import JSONBody, PathParameter
from msgspec import UNSET, Meta, UnsetType

from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.resource import Resource
from falgate.admin.api.services import Acting, Admin
from falgate.admin.api.shapes import StopShown
from falgate.core.account import LEVELS, Account
from falgate.core.change import WHY_MAX
from falgate.money.stop import subject

routes = Resource("stops")
_ONE = "/stops/{subject_name:str}"

SubjectName = Annotated[
    str,
    PathParameter(
        pattern=r"^(organisation(:main)?|team:[^:/]+|app:[^:/]+:[^:/]+|model:[^/]+)$",
        description="organisation:main, team:NAME, app:TEAM:APP or model:ENDPOINT, / written as :",
    ),
]
Why = Annotated[str, Meta(max_length=WHY_MAX, description="What callers are told, one line")]


class StopSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reason to stop."""

    why: Why | UnsetType = UNSET


@routes.get("/stops", "List what is stopped", lead=True)
async def list_stops(
    admin: Admin, acting: Acting, limit: Limit = LIMIT, cursor: Cursor = ""
) -> Page[StopShown]:
    """The widest first, then of models; for a lead, those that concern the own team."""
    found = {
        f"{LEVELS.index(each.subject.level)} {each.subject.name}": each
        for each in await admin.stops.all(acting.team)
    }
    return page(found, lambda _, stopped: StopShown.by(stopped), limit, cursor)


@routes.put(_ONE, "Stop purchases", 404, 409)
async def stop(
    admin: Admin, subject_name: SubjectName, data: JSONBody[StopSet | None] = None
) -> StopShown:
    """In force everywhere when this answers. Repeated, it changes the reason if one is given."""
    why = None if data is None or data.why is UNSET else data.why
    return StopShown.by(await admin.stops.stop(_in_path(subject_name), why))


@routes.delete(_ONE, "Resume purchases", 404, 409)
async def resume(admin: Admin, subject_name: SubjectName) -> None:
    """Wider and other stops stay in force."""
    await admin.stops.resume(_in_path(subject_name))


def _in_path(name: str) -> Account:
    level, colon, own = name.partition(":")
    return subject(f"{level}{colon}{own.replace(':', '/')}")
