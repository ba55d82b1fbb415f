"""What leads may see of figures that are about all teams or about one."""

from typing import Annotated

from litestar.params import QueryParameter

from falgate.accounts.operator import Operator

OfTeam = Annotated[
    str, QueryParameter(max_length=150, description="Only this team; for leads, their own")
]
OfApp = Annotated[
    str,
    QueryParameter(max_length=150, description="Only this app: TEAM/APP, or its name with a team"),
]


def of_team(acting: Operator, team: str) -> str:
    """Return the team that is meant, "" for all: leads that name none mean their own.

    Raises:
        Forbidden: A lead asks for another team.
    """
    meant = team or acting.team
    acting.answer_for(meant)
    return meant
