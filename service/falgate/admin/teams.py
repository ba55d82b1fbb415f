"""Teams: made, looked at, changed and removed."""

from collections.abc import Callable

from falgate.accounts.directory import Team
from falgate.admin.context import AdminContext, change, check, check_name
from falgate.core.account import Account
from falgate.core.problems import Conflict, NotFound


class Teams:
    """Every team."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self) -> dict[str, Team]:
        """All of them, by name and in its order."""
        return dict(sorted((await self._context.records.directory()).teams.items()))

    async def show(self, name: str) -> Team:
        """One of them.

        Raises:
            NotFound: There is none of that name.
        """
        team = (await self._context.records.directory()).teams.get(name)
        if team is None:
            raise NotFound(f"There is no team {name}; make it first")
        return team

    async def create(self, name: str, team: Team) -> Team:
        """Make one.

        Raises:
            Invalid: Its name or a setting makes no sense.
            Conflict: There is one of that name.
        """
        check_name(name)
        check(team)
        # The put itself calls a repeat done: it may be one of ours whose reply was lost.
        taken = name in (await self._context.records.directory()).teams
        if taken or not await self._context.records.put_team(name, None, team, self._context.who):
            raise Conflict(f"There is a team {name} already; change that one")
        return team

    async def change(self, name: str, how: Callable[[Team], Team]) -> Team:
        """Change one to what `how` makes of it.

        Raises:
            Invalid: A setting makes no sense.
            NotFound: There is none of that name.
            Conflict: Somebody else changes it all the time.
        """
        return await change(
            lambda: self.show(name),
            lambda was: check(how(was)),
            lambda was, now: self._context.records.put_team(name, was, now, self._context.who),
        )

    async def remove(self, name: str) -> None:
        """Remove one. What it spent stays in the ledger.

        Raises:
            NotFound: There is none of that name.
            Conflict: It has apps or budgets, or somebody has just changed it.
        """
        team = await self.show(name)
        apps = (await self._context.records.directory()).apps
        if mine := [app for app in apps if app.startswith(f"{name}/")]:
            raise Conflict(
                f"Team {name} has apps ({', '.join(sorted(mine)[:3])}); remove them first"
            )
        await self._context.require_no_budget(Account("team", name))
        if not await self._context.records.put_team(name, team, None, self._context.who):
            raise Conflict(f"Team {name} was changed just now; look at it, then try again")
