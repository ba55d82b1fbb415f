"""Administration of operators: create, change, rotate and revoke. A record is never removed."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from falgate.accounts import apikey
from falgate.accounts.operator import OperatorRecord, Role
from falgate.admin import key_checks
from falgate.admin.context import AdminContext, change, check
from falgate.admin.keys import OVERLAP_S_MAX
from falgate.core.problems import Conflict, Invalid, NotFound

_SETTINGS = ("name", "expires_s", "disabled", "prompts")
_REVOKED = "This operator's key was revoked, which is for ever; create a new operator"


class OperatorMade(msgspec.Struct, frozen=True):
    """A new operator, or one with a new secret.

    Attributes:
        key: The full key, which can never be shown again.
        record: The stored record.
    """

    key: str
    record: OperatorRecord

    def __repr__(self) -> str:
        """Omit the secret."""
        return f"OperatorMade({self.record.id})"


class Operators:
    """All operators but the first admin, whose key is a setting."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(self) -> list[OperatorRecord]:
        """Return all operators, oldest first."""
        return await self._context.records.operators.all()

    async def show(self, operator_id: str) -> OperatorRecord:
        """Return an operator's record.

        Raises:
            NotFound: There is no such operator.
        """
        record, _ = await self._context.records.operators.get(operator_id)
        if record is None:
            # The id is not quoted: somebody may have pasted the secret key instead.
            raise NotFound("There is no such operator; list the operators to see all of them")
        return record

    async def create(
        self, role: Role, name: str, *, team: str = "", prompts: bool = False, expires_s: int = 0
    ) -> OperatorMade:
        """Create an operator.

        Args:
            role: What they may do.
            name: Who they are, for people and the audit log; one line.
            team: The team of a lead; "" for the other roles.
            prompts: Whether a viewer or a lead may see prompts.
            expires_s: When the key expires, seconds since 1970; 0 for never.

        Raises:
            Invalid: A value is invalid, or a lead has no team.
            NotFound: There is no such team.
        """
        if (role == "lead") != bool(team):
            raise Invalid("team: a lead has one, and nobody else")
        if team and team not in (await self._context.records.directory()).teams:
            raise NotFound(f"There is no team {team}; create it first")
        key = apikey.mint(
            "oper",
            self._context.randomness(apikey.ID_BYTES),
            self._context.randomness(apikey.SECRET_BYTES),
        )
        presented = apikey.minted(key)
        now_s = await self._context.records.now_s()
        record = OperatorRecord(
            id=presented.id,
            digest=presented.digest,
            name=name,
            created_s=now_s,
            expires_s=expires_s,
            role=role,
            team=team,
            prompts=prompts or role == "admin",
        )
        _check(record, now_s)
        if not await self._context.records.operators.put(None, record, self._context.who):
            raise Conflict("The generated key id is already taken; try again")
        return OperatorMade(key, record)

    async def change(
        self, operator_id: str, how: Callable[[OperatorRecord], OperatorRecord]
    ) -> OperatorRecord:
        """Change an operator's name, expiry, sight of prompts, or whether they are disabled.

        Raises:
            Invalid: A value is invalid, such as an expiry in the past.
            NotFound: There is no such operator.
            Conflict: The key was revoked, or others keep changing it at the same time.
        """
        now_s = await self._context.records.now_s()

        def changed(was: OperatorRecord) -> OperatorRecord:
            now = how(was)
            settings = {name: getattr(now, name) for name in _SETTINGS}
            assert replace(was, **settings) == now, "only settings of an operator can be changed"
            if was.revoked_s:
                raise Conflict(_REVOKED)
            if was.role == "admin" and not now.prompts:
                raise Invalid("prompts: an admin sees them always")
            return now if now == was else _check(now, now_s, was)

        return await self._replace(operator_id, changed)

    async def revoke(self, operator_id: str) -> OperatorRecord:
        """Revoke an operator's key for ever, on every instance at once; a repeat changes nothing.

        Raises:
            NotFound: There is no such operator.
            Conflict: Others keep changing it at the same time.
        """
        now_s = await self._context.records.now_s()
        return await self._replace(
            operator_id, lambda was: was if was.revoked_s else replace(was, revoked_s=now_s)
        )

    async def rotate(self, operator_id: str, overlap_s: int = 0) -> OperatorMade:
        """Give an operator's key a new secret; sessions that the old one began end with it.

        Args:
            operator_id: The public id of the key.
            overlap_s: How long the current secret stays valid, seconds.

        Raises:
            Invalid: The overlap is negative or longer than `OVERLAP_S_MAX`.
            NotFound: There is no such operator.
            Conflict: The key was revoked, or others keep changing it at the same time.
        """
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise Invalid(f"The overlap must be between 0 and {OVERLAP_S_MAX} seconds")
        secret = self._context.randomness(apikey.SECRET_BYTES)
        now_s = await self._context.records.now_s()

        def rotated(was: OperatorRecord) -> OperatorRecord:
            if was.revoked_s:
                raise Conflict(_REVOKED)
            key = apikey.remint("oper", was.id, secret)
            return was.rotated(apikey.minted(key).digest, overlap_s, now_s)

        record = await self._replace(operator_id, rotated)
        return OperatorMade(apikey.remint("oper", record.id, secret), record)

    async def _replace(
        self, operator_id: str, how: Callable[[OperatorRecord], OperatorRecord]
    ) -> OperatorRecord:
        return await change(
            lambda: self.show(operator_id),
            how,
            lambda was, now: self._context.records.operators.put(was, now, self._context.who),
        )


def _check(record: OperatorRecord, now_s: int, was: OperatorRecord | None = None) -> OperatorRecord:
    check(record)
    if not record.name.strip() or ":" in record.name:
        # In the audit log, a colon comes before whoever acts in the operator's name.
        raise Invalid("name: say who the operator is, without a colon, for the audit log")
    key_checks.check_note(record.name)
    if was is None or record.expires_s != was.expires_s:
        key_checks.check_expiry(record.expires_s, now_s)
    return record
