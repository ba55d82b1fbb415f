"""What leads of teams may set: accounts below their team, and limits up to the team's own."""

from msgspec import UNSET, UnsetType

from falgate.accounts.limits import Limits
from falgate.accounts.operator import Operator
from falgate.admin.patch import LimitsChange
from falgate.admin.service import AdminService
from falgate.core.account import Account
from falgate.core.problems import Forbidden, Invalid


async def check_seen(acting: Operator, admin: AdminService, account: Account) -> None:
    """Check that an account is the operator's to see.

    Raises:
        Forbidden: A lead asks for an account that is not of their team.
    """
    if acting.role == "lead":
        acting.answer_for(await admin.team_of(account))


async def check_set(acting: Operator, admin: AdminService, account: Account) -> None:
    """Check that an operator may set what an account may use.

    Raises:
        Forbidden: A lead asks for an account that is not an app or a key of their team.
    """
    await check_seen(acting, admin, account)
    if acting.role == "lead" and account.level == "team":
        raise Forbidden(
            f"A lead sets what apps and keys of team {acting.team} may use; what the team itself "
            "may use is set by an admin"
        )


async def check_limits(
    acting: Operator, admin: AdminService, wanted: Limits | LimitsChange | UnsetType
) -> None:
    """Check that an operator may set limits; 0, no limit of its own, leaves the team's in force.

    Raises:
        Invalid: A lead sets a limit above the team's own.
        NotFound: The team was removed.
    """
    if acting.role != "lead" or wanted is UNSET:
        return
    team = (await admin.teams.show(acting.team)).limits
    for name in Limits.__struct_fields__:
        most, value = getattr(team, name), getattr(wanted, name)
        if most and value is not UNSET and value > most:
            raise Invalid(
                f"{name}: a lead sets up to {most}, the limit of team {acting.team}, not {value}"
            )
