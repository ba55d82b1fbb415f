"""Facts for metrics and logs: words and numbers, never what was asked for."""

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from falgate.core.events import (
    Alerted,
    AlertFailed,
    Anomaly,
    AnomalyKind,
    Answered,
    Purchased,
    Source,
)
from falgate.jobs.job import Order

FACTS = [Answered, Purchased, Alerted, AlertFailed, Anomaly]


def is_scalar(hint: Any) -> bool:
    if get_origin(hint) in {Union, types.UnionType}:
        return all(map(is_scalar, get_args(hint)))
    return get_origin(hint) is Literal or hint in {str, int, float, bool, types.NoneType}


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_has_room_for_words_and_numbers_only(fact: type[msgspec.Struct]) -> None:
    hints = get_type_hints(fact)

    assert all(is_scalar(hints[field]) for field in fact.__struct_fields__)


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_does_not_carry_what_was_asked_for(fact: type[msgspec.Struct]) -> None:
    assert not is_scalar(get_type_hints(Order)["input"])
    assert {"input", "body", "prompt", "arguments", "answer"}.isdisjoint(fact.__struct_fields__)


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_has_no_defaults_to_forget(fact: type[msgspec.Struct]) -> None:
    assert all(field.required for field in msgspec.structs.fields(fact))


def test_sources_and_anomalies_are_closed_sets() -> None:
    """Labels of metrics come from them."""
    assert set(get_args(Source)) == {"hit", "derived", "partial", "coalesced", "miss", "bypass"}
    assert all(word.isidentifier() for word in get_args(AnomalyKind))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"what": "anything", "job": "1", "detail": ""}, Anomaly)
