"""A stop: what an operator has put an end to buying for, and what callers are told about it."""

from collections.abc import Iterable

import msgspec

from falgate.core.account import LEVELS, Account, Level, account
from falgate.core.money_errors import StoppedByOperator

STOPPABLE: tuple[Level, ...] = tuple(level for level in LEVELS if level != "key")
"""What can be stopped. A key is disabled instead."""


def subject(name: str) -> Account:
    """Parse the name of an account that can be stopped, as `Account.name` writes it.

    Raises:
        ValueError: It is not the name of an account, or it is a key's.
    """
    found = account(name)
    if found.level not in STOPPABLE:
        raise ValueError(f"{name!r} cannot be stopped: disable the key instead")
    return found


def stoppable(accounts: Iterable[Account]) -> tuple[Account, ...]:
    """Return those of the accounts that a purchase is charged to by which it can be stopped."""
    return tuple(each for each in accounts if each.level in STOPPABLE)


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one stop.

    Attributes:
        who: Who stopped it first, as in the audit log.
        stopped_s: When that was, in seconds since 1970.
        why: The operator's words for callers; "" for none.
    """

    who: str
    stopped_s: int
    why: str = ""


class Stopped(msgspec.Struct, frozen=True):
    """Nothing is bought for an account until an operator resumes it."""

    subject: Account
    stop: Stop

    def refusal(self) -> StoppedByOperator:
        """Return the error that callers get. It does not name the operator."""
        return StoppedByOperator(self.subject.name, self.subject.words, self.stop.why)
