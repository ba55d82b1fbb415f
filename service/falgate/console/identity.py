"""Whom a browser signs in as: what they show once, and whether that still counts later."""

from typing import Protocol

from falgate.accounts.operator import Operator
from falgate.console.session import Session
from falgate.core.problems import Forbidden

_BETWEEN = " "
_VOUCHED = "oidc"


class Keys(Protocol):
    """Who gets in by a key; the administration's `Access`."""

    @property
    def first(self) -> Operator | None:
        """The admin whose key is a setting; None without one."""

    async def identify(self, text: str, address: str) -> Operator:
        """Return the operator who presents a key; raise a `Problem` or `TooMany` otherwise."""

    async def present(self, operator_id: str, mark: str) -> Operator | None:
        """Return an operator as they are now; None if their key does not count any more."""


class Identities:
    """Everybody who may sign in, each named by a text that sessions and links keep."""

    def __init__(self, keys: Keys, provider: str = "") -> None:
        """Let in whom `keys` lets in, and whom a provider has vouched for.

        `provider` is the mark of all that says what a provider's people may do; "" for none.
        """
        self._keys = keys
        self._provider = provider

    @property
    def admin(self) -> str:
        """The identity of who has the admin key of the settings.

        Raises:
            Forbidden: There is no such key.
        """
        if self._keys.first is None:
            raise Forbidden("Set FALGATE_ADMIN_KEY to a key created by `falgate keys admin`")
        return identity(self._keys.first)

    async def present(self, text: str, address: str) -> str:
        """Return the identity of who presents a key from an address.

        Raises:
            Problem: The key opens nothing here.
            TooMany: Too many wrong keys came from this address.
            Unavailable: Without Redis.
        """
        return identity(await self._keys.identify(text.strip(), address))

    async def current(self, identity: str) -> Operator | None:
        """Return who has an identity now; None if it does not count any more.

        Raises:
            Unavailable: Without Redis.
        """
        operator_id, _, mark = identity.partition(_BETWEEN)
        return await self._keys.present(operator_id, mark)

    async def of(self, session: Session) -> Operator | None:
        """Return who has a session; None if what began it does not count any more.

        Whom a provider vouched for has the same role until the session's end, unless the settings
        about the provider change.

        Raises:
            Unavailable: Without Redis.
        """
        kind, _, mark = session.identity.partition(_BETWEEN)
        if kind == _VOUCHED:
            theirs = mark.partition(_BETWEEN)[0]
            return session.operator if self._provider and theirs == self._provider else None
        return await self.current(session.identity)


def identity(operator: Operator) -> str:
    """Return the identity of an operator, which changes with the secret of their key."""
    return f"{operator.id}{_BETWEEN}{operator.mark}"


def vouched(provider: str, subject: str) -> str:
    """Return the identity of somebody whom a provider knows by this subject.

    `provider` is the mark that `Identities` has; no key's id is the first word of this.
    """
    return f"{_VOUCHED}{_BETWEEN}{provider}{_BETWEEN}{subject}"
