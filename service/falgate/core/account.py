"""Accounts, the owners of budgets: organisation, team, app, key and model."""

from typing import Literal, get_args

import msgspec

Level = Literal["organisation", "team", "app", "key", "model"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""In the order in which a purchase is charged: who asks for it, from the widest on, then what for.
Of several stops or limits that refuse a purchase, the first in this order is the reason."""


class Account(msgspec.Struct, frozen=True):
    """An account whose spending is counted, and may be limited by budgets.

    Attributes:
        level: Its kind.
        id: Unique within its level: "main", "web", "web/shop" (an app is named within its team), a
            key's public id, or a model's endpoint.
    """

    level: Level
    id: str

    @property
    def name(self) -> str:
        """The account as "<level>:<id>", such as "team:web" or "model:openai/gpt-image-2"."""
        return f"{self.level}:{self.id}"

    @property
    def words(self) -> str:
        """The account as sentences name it."""
        return "the organisation" if self == ORGANISATION else f"{self.level} {self.id}"

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
    slashed = "/" in found.id
    if not found.id or (found.level != "model" and (found.level == "app") != slashed):
        raise ValueError(
            f"{name!r} is not organisation, team:NAME, app:TEAM/APP, key:ID or model:ENDPOINT"
        )
    if found.level == "organisation" and found != ORGANISATION:
        raise ValueError(f"the organisation has one account, {ORGANISATION.name}")
    return found


def chain(team: str = "", app: str = "", key: str = "", endpoint: str = "") -> tuple[Account, ...]:
    """Return the accounts that a purchase is charged to, in the order of `LEVELS`.

    The accounts of what is not known ("") are left out.
    """
    accounts = (
        ORGANISATION,
        Account("team", team),
        Account("app", f"{team}/{app}" if team else ""),
        Account("key", key),
        Account("model", endpoint),
    )
    return tuple(each for each in accounts if each.id)
