"""Whom a browser signs in as: what they show once, and whether that still counts later."""

import hmac
from hashlib import sha256

from falgate.accounts import apikey
from falgate.accounts.operator import Operator
from falgate.accounts.wrong_keys import WrongKeys
from falgate.core.problems import Forbidden

ADMIN = "admin:"
"""Begins the identity of who has the admin key; the rest changes with the key."""


class Identities:
    """Everybody who may sign in with a key."""

    def __init__(self, admin_key: str, wrong_keys: WrongKeys) -> None:
        """Accept the admin key, and limit attempts with wrong ones per address."""
        known = apikey.present(admin_key)
        self._admin = known if known and known.kind == "admin" else None
        self._wrong_keys = wrong_keys

    @property
    def admin(self) -> str:
        """The identity of the holder of the admin key.

        Raises:
            Forbidden: There is no admin key.
        """
        if self._admin is None:
            raise Forbidden("Set FALGATE_ADMIN_KEY to a key created by `falgate keys admin`")
        return ADMIN + sha256(self._admin.digest.encode()).hexdigest()

    async def present(self, text: str, address: str) -> str:
        """Return the identity of who presents a key from an address.

        Raises:
            Forbidden: The key opens nothing here.
            TooMany: Too many wrong keys came from this address.
        """
        given = apikey.present(text.strip())
        if given and self._admin and given.kind == "admin" and given.matches(self._admin.digest):
            return self.admin
        self._wrong_keys.wrong(address)
        raise Forbidden(_wrong(given))

    async def current(self, identity: str) -> Operator | None:
        """Return who has an identity now; None if it does not count any more."""
        if self._admin and hmac.compare_digest(identity.encode(), self.admin.encode()):
            return Operator(who="admin", role="admin")
        return None


def _wrong(given: apikey.Presented | None) -> str:
    if given is None:
        return "This is no key of falgate's; copy all of it, from fg_ to the end"
    if given.kind == "admin":
        return "This is not the admin key of this gateway"
    return "Keys of apps do not open the console; sign in with the admin key or an operator's"
