"""Reasons of refusals: one for every class, from a closed set."""

from collections.abc import Iterator
from typing import get_args

import pytest

from falgate.core.errors import Refusal, StoreFull, TooMany, UpstreamRefused
from falgate.core.money_errors import StoppedByOperator
from falgate.core.refused import Reason, about, error_type, reason
from falgate.jobs import queue_errors

assert queue_errors  # its classes are looked for too


def classes(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for each in of.__subclasses__():
        yield each
        yield from classes(each)


@pytest.mark.parametrize("each", sorted(classes(), key=str))
def test_every_refusal_has_a_reason(each: type[Refusal]) -> None:
    assert reason(each.__new__(each)) in get_args(Reason)


def test_a_class_has_the_reason_of_the_nearest_that_it_is_of() -> None:
    assert reason(StoreFull()) == "unavailable"
    assert reason(queue_errors.KeyReused()) == "request"


@pytest.mark.parametrize(
    ("word", "told"),
    [("content_policy_violation", "content_policy_violation"), ("a b\n", None), ("x" * 65, None)],
)
def test_fal_s_own_word_is_taken_where_it_is_one(word: str, told: str | None) -> None:
    assert error_type(UpstreamRefused(422, {}, {"X-Fal-Error-Type": word})) == told


def test_a_limit_is_named_where_one_refused() -> None:
    assert about(TooMany("slow down", 1, "team:web generations_at_once")) == {
        "limit": "team:web generations_at_once"
    }
    assert about(TooMany("slow down", 1)) == {}


def test_a_stop_is_named_where_one_refused() -> None:
    stopped = StoppedByOperator("team:web", "team web", "a leak")

    assert reason(stopped) == "buying_stopped"
    assert about(stopped) == {"stopped": "team:web"}
