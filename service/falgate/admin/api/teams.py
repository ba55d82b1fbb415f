"""/teams: administration of teams."""

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from falgate.accounts.directory import Name, Team, Weight
from falgate.accounts.limits import NONE, Limit, Limits
from falgate.admin.api.paging import LIMIT, Cursor, Page, page
from falgate.admin.api.paging import Limit as Items
from falgate.admin.api.problems import refusals
from falgate.admin.api.shapes import TeamShown
from falgate.admin.patch import TeamChange, merged
from falgate.admin.service import AdminService

_TAGS = ["teams"]


class TeamMade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team to create."""

    name: Name
    limits: Limits = NONE
    weight: Weight = 1
    waiting_generations: Limit = 0


@get("/teams", tags=_TAGS, summary="List teams", responses=refusals())
async def list_teams(
    admin: NamedDependency[AdminService], limit: Items = LIMIT, cursor: Cursor = ""
) -> Page[TeamShown]:
    """Sorted by name."""
    found = (await admin.teams.all()).items()
    return page(found, lambda each: each[0], lambda each: TeamShown.of(*each), limit, cursor)


@post("/teams", tags=_TAGS, summary="Create a team", responses=refusals(409))
async def create_team(admin: NamedDependency[AdminService], data: JSONBody[TeamMade]) -> TeamShown:
    """The name cannot be changed later."""
    team = Team(
        limits=data.limits, weight=data.weight, waiting_generations=data.waiting_generations
    )
    return TeamShown.of(data.name, await admin.teams.create(data.name, team))


@get("/teams/{team:str}", tags=_TAGS, summary="Get a team", responses=refusals(404))
async def show_team(admin: NamedDependency[AdminService], team: FromPath[str]) -> TeamShown:
    """The team's settings."""
    return TeamShown.of(team, await admin.teams.show(team))


@patch("/teams/{team:str}", tags=_TAGS, summary="Change a team", responses=refusals(404, 409))
async def change_team(
    admin: NamedDependency[AdminService], team: FromPath[str], data: JSONBody[TeamChange]
) -> TeamShown:
    """Fields that are not given keep their values."""
    return TeamShown.of(team, await admin.teams.change(team, lambda was: merged(was, data)))


@delete("/teams/{team:str}", tags=_TAGS, summary="Remove a team", responses=refusals(404, 409))
async def remove_team(admin: NamedDependency[AdminService], team: FromPath[str]) -> None:
    """Only a team without apps and budgets can be removed."""
    await admin.teams.remove(team)


HANDLERS = (list_teams, create_team, show_team, change_team, remove_team)
