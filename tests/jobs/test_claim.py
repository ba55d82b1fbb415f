"""The answers to asking for a flight and a hold."""

from typing import get_args

import msgspec
import pytest

from falgate.accounts.limits import Exceeded
from falgate.cache.pool import PoolVersion
from falgate.core.account import ORGANISATION, Account
from falgate.core.calendar import Window
from falgate.core.events import Overdrawn
from falgate.jobs.verdicts import (
    Crowded,
    Denied,
    Ended,
    Held,
    Joined,
    LedgerMismatch,
    Mismatched,
    NoBudget,
    OtherCalendar,
    OverageFull,
    PoolChanged,
    Repeated,
    Vacant,
    Verdict,
)
from falgate.money.frozen import Frozen
from falgate.money.stop import Stop, Stopped

DAY = Window("day", "2026-01-01", 0, 1)
STOPPED = Stopped(Account("team", "web"), Stop(who="ann", stopped_s=1, why="a leak"))
SHADOW = Overdrawn(Account("team", "web"), "month")
VERDICTS: dict[str, Verdict] = {
    "held": Held((SHADOW,)),
    "joined": Joined("job", "f.job"),
    "crowded": Crowded(),
    "stale": PoolChanged(7, 2),
    "vacant": Vacant(),
    "denied": Denied(ORGANISATION, DAY, 100, 60, 30),
    "exceeded": Exceeded("team:web", "generations_at_once", 2, 1_000),
    "unlimited": NoBudget(),
    "overage full": OverageFull(5, 6),
    "unborn": LedgerMismatch(),
    "frozen": Frozen("counters", 5),
    "stopped": STOPPED,
    "other calendar": OtherCalendar("UTC/monday"),
    "repeated": Repeated("request"),
    "mismatched": Mismatched(),
    "ended": Ended(),
}


PARTS: dict[str, tuple[object, ...]] = {
    "held": ((SHADOW,), None, False),
    "joined": ("job", "f.job"),
    "crowded": (),
    "stale": (7, 2),
    "vacant": (),
    "denied": (ORGANISATION, DAY, 100, 60, 30),
    "exceeded": ("team:web", "generations_at_once", 2, 1_000),
    "unlimited": (),
    "overage full": (5, 6),
    "unborn": (),
    "frozen": ("counters", 5),
    "stopped": (STOPPED.subject, STOPPED.stop),
    "other calendar": ("UTC/monday",),
    "repeated": ("request",),
    "mismatched": (),
    "ended": (),
}
"""In the order in which callers take a verdict apart."""


def test_every_answer_has_a_type_of_its_own() -> None:
    assert {type(verdict) for verdict in VERDICTS.values()} == set(get_args(Verdict))
    assert len(VERDICTS) == len(get_args(Verdict))


@pytest.mark.parametrize("name", VERDICTS)
def test_an_answer_is_taken_apart_by_position(name: str) -> None:
    verdict = VERDICTS[name]

    assert tuple(getattr(verdict, part) for part in type(verdict).__match_args__) == PARTS[name]


@pytest.mark.parametrize("name", VERDICTS)
def test_an_answer_is_a_value_that_nobody_changes(name: str) -> None:
    verdict = VERDICTS[name]

    assert msgspec.convert(msgspec.to_builtins(verdict), type(verdict)) == verdict
    for field in msgspec.structs.fields(verdict):
        with pytest.raises(AttributeError):
            setattr(verdict, field.name, None)


def test_who_has_seen_nothing_knows_of_no_pool() -> None:
    assert PoolVersion() == PoolVersion(generation=0, count=0)


def test_a_hold_is_without_shadows_unless_it_says_so() -> None:
    assert Held() == Held(overdrawn=())
