"""The admin service: everything that operators can view and change."""

from typing import Any

from falgate.accounts.directory import App, Team
from falgate.admin.aliases import Aliases
from falgate.admin.budgets import Budgets
from falgate.admin.context import AdminContext
from falgate.admin.keys import Keys
from falgate.admin.model_checks import check_app
from falgate.admin.models import Models
from falgate.admin.named import Named
from falgate.admin.operators import Operators
from falgate.admin.stops import Stops
from falgate.core.account import Account
from falgate.core.change import Audited
from falgate.core.problems import Invalid

_UNLIMITED = (
    "Rate limits can be set for a team, an app, a key or a model, but not for the organisation"
)


class AdminService(AdminContext, frozen=True):
    """Administration on behalf of one operator, with the budgets of either live or test keys.

    Teams, apps and keys are the same for both. Every method raises `Unavailable` without Redis, and
    a `Problem` if it refuses to act.
    """

    @property
    def teams(self) -> Named[Team]:
        """Administration of teams."""
        return Named(self, "team", lambda directory: directory.teams, self.records.put_team)

    @property
    def apps(self) -> Named[App]:
        """Administration of apps."""
        return Named(
            self,
            "app",
            lambda directory: directory.apps,
            self.records.put_app,
            lambda app, directory: check_app(app, self.models, directory.aliases),
        )

    @property
    def keys(self) -> Keys:
        """Administration of keys."""
        return Keys(self)

    @property
    def operators(self) -> Operators:
        """Administration of operators."""
        return Operators(self)

    @property
    def served(self) -> Models:
        """Administration of models."""
        return Models(self)

    @property
    def budgets(self) -> Budgets:
        """Administration of budgets."""
        return Budgets(self)

    @property
    def aliases(self) -> Aliases:
        """Administration of the organisation's aliases."""
        return Aliases(self)

    @property
    def stops(self) -> Stops:
        """Administration of stops."""
        return Stops(self)

    async def now_s(self) -> int:
        """Return Redis's clock, seconds since 1970."""
        return await self.records.now_s()

    def limited(self, account: Account) -> "Named[Team] | Named[App] | Keys | Models":
        """Return the administration of the records that have an account's rate limits.

        Raises:
            Invalid: The account is the organisation, which has none.
        """
        if account.level == "organisation":
            raise Invalid(_UNLIMITED)
        by_level: dict[str, Any] = {
            "team": self.teams,
            "app": self.apps,
            "key": self.keys,
            "model": self.served,
        }
        found: Named[Team] | Named[App] | Keys | Models = by_level[account.level]
        return found

    async def audit(self, number: int, before: str = "+") -> list[Audited]:
        """Return up to `number` lines of the audit log before a line's id, newest first."""
        lines: list[Audited] = []
        async for line in self.records.audit(before=before):
            lines.append(line)
            if len(lines) >= number:
                break
        return lines
