"""An operator: who administers falgate, in which role, and what of it that role may do."""

from typing import Literal

import msgspec

from falgate.core.problems import Forbidden

Role = Literal["admin", "viewer", "lead"]
"""admin: everything. viewer: sees everything, changes nothing. lead: their own team only."""

SCOPE = "falgate.operator"
"""Where an ASGI scope has the `Operator` that was identified before the routes; no request can."""


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who administers falgate.

    Attributes:
        who: For the audit log, such as "admin", "admin:alice" or "viewer:bob".
        role: See `Role`.
        team: The team of a lead; "" for the other roles.
        prompts: Whether they may see prompts, where apps allow that these are stored.
    """

    who: str
    role: Role
    team: str = ""
    prompts: bool = True

    def permit(self, *, reads: bool, lead: bool) -> None:
        """Check that the role may use a route.

        Args:
            reads: The route changes nothing.
            lead: The route keeps leads to their team by `answer_for`.

        Raises:
            Forbidden: It may not.
        """
        if self.role == "viewer" and not reads:
            raise Forbidden("A viewer changes nothing; ask an admin, or a lead of the team")
        if self.role == "lead" and not lead:
            raise Forbidden(f"A lead of team {self.team} administers that team only; ask an admin")

    def answer_for(self, team: str) -> None:
        """Check that a record of a team is this operator's to see and change.

        Raises:
            Forbidden: A lead asks for another team's.
        """
        if self.role == "lead" and team != self.team:
            raise Forbidden(f"A lead of team {self.team} administers that team only; ask an admin")
