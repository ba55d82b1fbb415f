"""Accounts, the owners of budgets: organisation, team, app and key."""

from typing import Literal, get_args

import msgspec

Level = Literal["organisation", "team", "app", "key"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the widest to the narrowest."""


class Account(msgspec.Struct, frozen=True):
    """An account whose spending is counted, and may be limited by budgets.

    Attributes:
        level: Its kind.
        id: Unique within its level: "main", "web", "web/shop" (an app is named within its team), or
            a key's public id.
    """

    level: Level
    id: str

    @property
    def name(self) -> str:
        """The account as "<level>:<id>", such as "team:web"."""
        return f"{self.level}:{self.id}"

    def __str__(self) -> str:
        """As `name`, so that keys of Redis can be made of accounts."""
        return self.name


ORGANISATION = Account("organisation", "main")


def account(name: str) -> Account:
    """Parse an account's name as `Account.name` writes it; "organisation" alone is accepted too.

    Raises:
        ValueError: It is not the name of an account.
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
    """Return the accounts that a purchase is charged to, the organisation first."""
    return (
        ORGANISATION,
        Account("team", team),
        Account("app", f"{team}/{app}"),
        Account("key", key),
    )
