"""Who gets into the administration: operators by their keys, and the first admin by the setting."""

import hmac
from hashlib import sha256

from falgate.accounts import apikey
from falgate.accounts.apikey import Presented
from falgate.accounts.operator import Operator, OperatorRecord, mark_of
from falgate.accounts.ports import OperatorRecords
from falgate.accounts.wrong_keys import WrongKeys
from falgate.core.problems import Forbidden, Unauthorized

_CLOSED = (
    "The admin API is closed: set FALGATE_ADMIN_KEY to a key created by `falgate keys admin`, and "
    "restart falgate"
)


class Access:
    """Identifies operators. Without an admin key in the settings, nobody gets in."""

    def __init__(self, admin_key: str, operators: OperatorRecords, wrong_keys: WrongKeys) -> None:
        """Let in who has `admin_key` and who is one of `operators`; "" closes it to everybody."""
        presented = apikey.present(admin_key)
        self._first: Operator | None = None
        if presented and presented.kind == "admin":
            mark = mark_of(presented.digest)
            self._first = Operator(who="admin", role="admin", id=presented.id, mark=mark)
        self._expected = sha256(admin_key.encode()).digest()
        self._operators = operators
        self._wrong_keys = wrong_keys

    @property
    def first(self) -> Operator | None:
        """The first admin, whose key is a setting; None without one."""
        return self._first

    async def identify(self, text: str, address: str) -> Operator:
        """Return the operator who presents a key, compared in constant time.

        Args:
            text: The key; "" if none was presented.
            address: The IP address that it comes from.

        Raises:
            Forbidden: There is no admin key in the settings, or it is an app's key.
            Unauthorized: The key is missing, wrong, revoked, disabled or expired.
            TooMany: Too many invalid keys came from this address.
            Unavailable: Without Redis; the first admin's key needs none.
        """
        if self._first is None:
            raise Forbidden(_CLOSED)
        if hmac.compare_digest(sha256(text.encode()).digest(), self._expected):
            return self._first
        presented = apikey.present(text)
        known = ""
        if presented and presented.kind == "oper":
            await self._wrong_keys.check(address, presented)
            record, now_s = await self._operators.get(presented.id)
            if record and record.opened_by(presented, now_s):
                self._wrong_keys.right(presented)
                return _usable(record, presented, now_s)
            known = record.id if record else ""
        if text:
            self._wrong_keys.wrong(address, known)
        if text.startswith(("fg_live_", "fg_test_")):
            raise Forbidden("App keys cannot use the admin API; send an operator's key")
        raise Unauthorized(
            "Send an operator's key as `Authorization: Key fg_oper_...`, or the admin key"
        )

    async def present(self, operator_id: str, mark: str) -> Operator | None:
        """Return an operator as they are now, for a session that their key began; None ends it.

        None: the key was revoked, is disabled or expired, or it was rotated and the secret that
        began the session is not valid any more.

        Args:
            operator_id: `Operator.id`, as `identify` gave it.
            mark: Likewise `Operator.mark`.

        Raises:
            Unavailable: Without Redis.
        """
        if self._first is None:
            return None
        if (operator_id, mark) == (self._first.id, self._first.mark):
            return self._first
        record, now_s = await self._operators.get(operator_id)
        if record is None or record.unusable(now_s) or not record.marked(mark, now_s):
            return None
        return record.operator(mark)


def _usable(record: OperatorRecord, presented: Presented, now_s: int) -> Operator:
    if why := record.unusable(now_s):
        raise Unauthorized(f"This key is {why}; ask an admin for another one")
    return record.operator(mark_of(presented.digest))
