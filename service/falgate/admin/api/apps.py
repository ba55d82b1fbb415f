"""/teams/{team}/apps: administration of apps."""

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from falgate.accounts.cache_settings import DEFAULT_POLICY, CachePolicy
from falgate.accounts.directory import App, Name
from falgate.accounts.limits import NONE, Limits
from falgate.admin.api.paging import LIMIT, Cursor, Limit, Page, page
from falgate.admin.api.problems import refusals
from falgate.admin.api.shapes import AppShown
from falgate.admin.patch import AppChange, merged
from falgate.admin.service import AdminService

_TAGS = ["apps"]
_ALL, _ONE = "/teams/{team:str}/apps", "/teams/{team:str}/apps/{app:str}"


class AppMade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An app to create."""

    name: Name
    limits: Limits = NONE
    cache: CachePolicy = DEFAULT_POLICY


@get("/apps", tags=_TAGS, summary="List the apps of all teams", responses=refusals())
async def list_all_apps(
    admin: NamedDependency[AdminService], limit: Limit = LIMIT, cursor: Cursor = ""
) -> Page[AppShown]:
    """Sorted by team and name."""
    found = (await admin.apps.all()).items()
    return page(found, lambda each: each[0], lambda each: AppShown.of(*each), limit, cursor)


@get(_ALL, tags=_TAGS, summary="List a team's apps", responses=refusals(404))
async def list_apps(
    admin: NamedDependency[AdminService],
    team: FromPath[str],
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[AppShown]:
    """Sorted by name."""
    found = (await admin.apps.all(team)).items()
    return page(found, lambda each: each[0], lambda each: AppShown.of(*each), limit, cursor)


@post(_ALL, tags=_TAGS, summary="Create an app", responses=refusals(404, 409))
async def create_app(
    admin: NamedDependency[AdminService], team: FromPath[str], data: JSONBody[AppMade]
) -> AppShown:
    """The name cannot be changed later."""
    name = f"{team}/{data.name}"
    app = App(limits=data.limits, cache=data.cache)
    return AppShown.of(name, await admin.apps.create(name, app))


@get(_ONE, tags=_TAGS, summary="Get an app", responses=refusals(404))
async def show_app(
    admin: NamedDependency[AdminService], team: FromPath[str], app: FromPath[str]
) -> AppShown:
    """The app's settings."""
    name = f"{team}/{app}"
    return AppShown.of(name, await admin.apps.show(name))


@patch(_ONE, tags=_TAGS, summary="Change an app", responses=refusals(404, 409))
async def change_app(
    admin: NamedDependency[AdminService],
    team: FromPath[str],
    app: FromPath[str],
    data: JSONBody[AppChange],
) -> AppShown:
    """Fields that are not given keep their values."""
    name = f"{team}/{app}"
    return AppShown.of(name, await admin.apps.change(name, lambda was: merged(was, data)))


@delete(_ONE, tags=_TAGS, summary="Remove an app", responses=refusals(404, 409))
async def remove_app(
    admin: NamedDependency[AdminService], team: FromPath[str], app: FromPath[str]
) -> None:
    """Only an app whose keys are all revoked and that has no budgets can be removed."""
    await admin.apps.remove(f"{team}/{app}")


HANDLERS = (list_all_apps, list_apps, create_app, show_app, change_app, remove_app)
