"""Whom a browser signs in as: what they show once, and whether that still counts later."""

from typing import Protocol

from falgate.accounts.operator import Operator
from falgate.core.problems import Forbidden

_BETWEEN = " "


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

    def __init__(self, keys: Keys) -> None:
        """Let in whom `keys` lets in."""
        self._keys = keys

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


def identity(operator: Operator) -> str:
    """Return the identity of an operator, which changes with the secret of their key."""
    return f"{operator.id}{_BETWEEN}{operator.mark}"
