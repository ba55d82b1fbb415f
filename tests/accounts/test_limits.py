"""Limits on pace: whole numbers, of which 0 limits nothing."""

from typing import Any

import msgspec
import pytest

from falgate.accounts.limits import NONE, Limits

FIELDS = Limits.__struct_fields__


def test_nothing_is_limited_unless_it_is_said() -> None:
    assert Limits() == NONE
    assert {getattr(NONE, field) for field in FIELDS} == {0}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("limit", [0, 1, 1_000_000])
def test_a_limit_is_stored_and_read_back(field: str, limit: int) -> None:
    limits = msgspec.convert({field: limit}, Limits)

    assert getattr(limits, field) == limit
    assert msgspec.json.decode(msgspec.json.encode(limits), type=Limits) == limits


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("limit", [-1, 1.5, 1_000_001, "1", None, True, float("nan")])
def test_what_is_no_number_of_things_is_no_limit(field: str, limit: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({field: limit}, Limits)


def test_a_limit_that_is_not_known_is_not_taken_for_none() -> None:
    with pytest.raises(msgspec.ValidationError, match="requests_per_hour"):
        msgspec.convert({"requests_per_hour": 1}, Limits)
