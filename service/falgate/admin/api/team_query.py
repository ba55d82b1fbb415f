"""The parameters of queries that narrow figures down to a team, or to an app of one."""

from typing import Annotated

from litestar.params import QueryParameter

OfTeam = Annotated[
    str, QueryParameter(max_length=150, description="Only this team; for leads, their own")
]
OfApp = Annotated[
    str,
    QueryParameter(max_length=150, description="Only this app: TEAM/APP, or its name with a team"),
]
