"""Accounts: whose money it is, from the organisation down to a key."""

from typing import Literal, get_args

import msgspec

Level = Literal["organisation", "team", "app", "key"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The widest first."""


class Account(msgspec.Struct, frozen=True):
    """Somebody whose spending is counted, and may be limited.

    Attributes:
        level: What it is.
        id: Its name among its level: "main", "web", "web/shop" (an app is named within its team),
            or a key's public id.
    """

    level: Level
    id: str

    @property
    def name(self) -> str:
        """Both in one word, "team:web"."""
        return f"{self.level}:{self.id}"


ORGANISATION = Account("organisation", "main")


def account(name: str) -> Account:
    """Read an account's name, as `Account.name` spells it; "organisation" alone does as well.

    Raises:
        ValueError: It is none.
    """
    if name == ORGANISATION.level:
        return ORGANISATION
    level, _, subject = name.partition(":")
    try:
        found = msgspec.convert({"level": level, "id": subject}, Account)
    except msgspec.ValidationError:
        found = Account("key", "")
    if not found.id or (found.level == "app") != ("/" in found.id):
        raise ValueError(f"{name!r} is not organisation, team:NAME, app:TEAM/APP or key:ID")
    if found.level == "organisation" and found != ORGANISATION:
        raise ValueError(f"the organisation has one account, {ORGANISATION.name}")
    return found


def chain(team: str, app: str, key: str) -> tuple[Account, ...]:
    """Whom a purchase is charged to, the organisation first."""
    return (
        ORGANISATION,
        Account("team", team),
        Account("app", f"{team}/{app}"),
        Account("key", key),
    )
