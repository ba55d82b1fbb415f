"""An operator: who administers falgate, in which role, and what of it that role may do."""

import hashlib
from typing import Literal

import msgspec

from falgate.accounts.apikey import Credential, Presented
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
        id: Public id of their key; "" for who came without one.
        mark: Tells the secret that they came with from later ones, without telling it; or "".
    """

    who: str
    role: Role
    team: str = ""
    prompts: bool = True
    id: str = ""
    mark: str = ""

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
            raise self._only_their_team()

    def sees(self, team: str) -> bool:
        """Return whether a record of a team may be shown to them; "" stands for no team's."""
        return self.role != "lead" or team == self.team

    def answer_for(self, team: str) -> None:
        """Check that a record of a team is this operator's to see and change.

        Raises:
            Forbidden: A lead asks for another team's.
        """
        if not self.sees(team):
            raise self._only_their_team()

    def of_theirs(self, of: str, *, or_app: bool = True) -> str:
        """Return of whom a list is, a "team", a "team/app" or "": a lead's is of their team.

        Args:
            of: As it was asked for; a lead who asks for "" means their team.
            or_app: Whether an app may stand there, or a team only.

        Raises:
            Forbidden: A lead asks for another team's, or for an app where a team stands.
        """
        of = of or self.team
        self.answer_for(of.partition("/")[0] if or_app else of)
        return of

    def _only_their_team(self) -> Forbidden:
        return Forbidden(f"A lead of team {self.team} administers that team only; ask an admin")


class OperatorRecord(Credential, frozen=True, kw_only=True):
    """The stored record of an operator and their key. Times are Redis's, seconds since 1970.

    Attributes:
        role: See `Role`.
        team: The team of a lead; "" for the other roles.
        prompts: Whether a viewer or a lead may see prompts; an admin always may.
    """

    role: Role
    team: str = ""
    prompts: bool = False

    def opened_by(self, presented: Presented, now_s: int) -> bool:
        """Return whether a presented key is this one; see `has_secret_of`."""
        return self.has_secret_of(presented, now_s) and presented.kind == "oper"

    def marked(self, mark: str, now_s: int) -> bool:
        """Return whether a mark is that of a secret that is valid now."""
        before = mark == mark_of(self.previous_digest) and now_s < self.previous_until_s
        return before or mark == mark_of(self.digest)

    def operator(self, mark: str) -> Operator:
        """Return the operator, who came with the secret of this mark."""
        return Operator(
            who=f"{self.role}:{self.name}",
            role=self.role,
            team=self.team,
            prompts=self.prompts or self.role == "admin",
            id=self.id,
            mark=mark,
        )


def mark_of(digest: str) -> str:
    """Return the mark of a secret, given its digest."""
    return hashlib.sha256(digest.encode()).hexdigest()[:16]
