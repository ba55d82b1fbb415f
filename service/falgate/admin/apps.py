"""Apps: made, looked at, changed and removed. Each is named within its team: "web/shop"."""

from collections.abc import Callable

from falgate.accounts.directory import App
from falgate.admin.context import AdminContext, change, check, check_name
from falgate.core.account import Account
from falgate.core.problems import Conflict, Invalid, NotFound


class Apps:
    """Every app."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self, team: str = "") -> dict[str, App]:
        """All of them, or one team's, by "team/app" and in its order.

        Raises:
            NotFound: There is no such team.
        """
        directory = await self._context.records.directory()
        if team and team not in directory.teams:
            raise NotFound(f"There is no team {team}; make it first")
        found = sorted(directory.apps.items())
        return {name: app for name, app in found if not team or name.startswith(f"{team}/")}

    async def show(self, name: str) -> App:
        """One of them.

        Raises:
            NotFound: There is none of that name.
        """
        app = (await self._context.records.directory()).apps.get(name)
        if app is None:
            raise NotFound(f"There is no app {name}; make it first")
        return app

    async def create(self, name: str, app: App) -> App:
        """Make one.

        Raises:
            Invalid: Its name or a setting makes no sense.
            NotFound: There is no such team.
            Conflict: There is one of that name.
        """
        team, slash, rest = name.partition("/")
        if not slash:
            raise Invalid("An app is named within its team, such as web/shop")
        check_name(rest)
        check(app)
        directory = await self._context.records.directory()
        if team not in directory.teams:
            raise NotFound(f"There is no team {team}; make it first")
        taken = name in directory.apps
        if taken or not await self._context.records.put_app(name, None, app, self._context.who):
            raise Conflict(f"There is an app {name} already; change that one")
        return app

    async def change(self, name: str, how: Callable[[App], App]) -> App:
        """Change one to what `how` makes of it.

        Raises:
            Invalid: A setting makes no sense.
            NotFound: There is none of that name.
            Conflict: Somebody else changes it all the time.
        """
        return await change(
            lambda: self.show(name),
            lambda was: check(how(was)),
            lambda was, now: self._context.records.put_app(name, was, now, self._context.who),
        )

    async def remove(self, name: str) -> None:
        """Remove one. What it spent stays in the ledger.

        Raises:
            NotFound: There is none of that name.
            Conflict: It has keys or budgets, or somebody has just changed it.
        """
        app = await self.show(name)
        for key in await self._context.records.keys(name):
            if not key.revoked_s:
                raise Conflict(f"App {name} has the key {key.id}; revoke it first")
        await self._context.require_no_budget(Account("app", name))
        if not await self._context.records.put_app(name, app, None, self._context.who):
            raise Conflict(f"App {name} was changed just now; look at it, then try again")
