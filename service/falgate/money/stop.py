"""A stop: what an operator has put an end to buying for, and what callers are told about it."""

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from falgate.core.account import ORGANISATION, Account
from falgate.core.money_errors import StoppedByOperator

Level = Literal["organisation", "team", "app", "model"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""In the order in which a refusal names them: of several stops, the widest is the reason."""


class Subject(msgspec.Struct, frozen=True):
    """What can be stopped.

    Attributes:
        level: Its kind.
        id: Unique within its level: as of an `Account`, or a model's endpoint.
    """

    level: Level
    id: str

    @property
    def name(self) -> str:
        """The subject as "<level>:<id>", such as "team:web" or "model:openai/gpt-image-2"."""
        return f"{self.level}:{self.id}"

    @property
    def words(self) -> str:
        """The subject as sentences name it."""
        return "the organisation" if self == WHOLE else f"{self.level} {self.id}"


WHOLE = Subject("organisation", ORGANISATION.id)


def subject(name: str) -> Subject:
    """Parse a subject's name as `Subject.name` writes it; "organisation" alone is accepted too.

    Raises:
        ValueError: It is not the name of a subject.
    """
    if name == WHOLE.level:
        return WHOLE
    level, _, own = name.partition(":")
    found = next((Subject(each, own) for each in LEVELS if each == level), None)
    if found is None or not own or (found.level == "organisation" and found != WHOLE):
        raise ValueError(f"{name!r} is not {WHOLE.name}, team:NAME, app:TEAM/APP or model:ENDPOINT")
    return found


def stoppable(accounts: Iterable[Account], endpoint: str) -> tuple[Subject, ...]:
    """Return what a purchase would be stopped by, the widest first.

    Keys are left out: a key is disabled instead.
    """
    charged = [Subject(each.level, each.id) for each in accounts if each.level != "key"]
    return (*charged, Subject("model", endpoint))


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
    """Nothing is bought for a subject until an operator resumes it."""

    subject: Subject
    stop: Stop

    def refusal(self) -> StoppedByOperator:
        """Return the error that callers get. It does not name the operator."""
        return StoppedByOperator(self.subject.name, self.subject.words, self.stop.why)
