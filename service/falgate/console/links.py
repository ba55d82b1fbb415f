"""Links that sign somebody in once: made for who asks, noted in the audit log, or switched off."""

from typing import NamedTuple

from falgate.accounts.operator import Operator
from falgate.accounts.store.audit import AuditLog
from falgate.console.identity import identity
from falgate.console.sections import SIGN_IN
from falgate.console.store.sessions import LINK_S, Sessions
from falgate.core.change import Change
from falgate.core.problems import Conflict


class Link(NamedTuple):
    """A link.

    Attributes:
        path: Where it leads; its last part is secret.
        expires_s: Until when it can be used, seconds since 1970 by Redis's clock.
    """

    path: str
    expires_s: int


class Links:
    """Makes links."""

    def __init__(self, sessions: Sessions, audit: AuditLog, *, off: str = "") -> None:
        """Make links to these sessions; `off` says why none are made, where that is so."""
        self._sessions = sessions
        self._audit = audit
        self.off = off

    async def link(self, operator: Operator, who: str) -> Link:
        """Return a link that signs in as an operator, for 10 minutes and once.

        `who` asks, for the audit log.

        Raises:
            Conflict: Links are switched off.
            Unavailable: Without Redis.
        """
        if self.off:
            raise Conflict(self.off)
        secret = await self._sessions.link(identity(operator))
        change = Change(who=who, action="sign-in-link", subject=operator.who)
        await self._audit.note(change, {"lasts_s": LINK_S})
        return Link(f"{SIGN_IN}/link/{secret}", await self._sessions.now_s() + LINK_S)
