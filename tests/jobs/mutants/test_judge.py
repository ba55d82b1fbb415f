"""What counts as noticing a changed script."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from judging import noticed
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TimedOut

from falgate.core.errors import Unavailable
from falgate.jobs.job import Fenced
from falgate.redis.unavailable import TRANSLATED

SAME = ("jobs_adopt", "return 0", "return 0")


def unavailable(cause: Exception) -> BaseException:
    """What the store makes of it."""
    with pytest.raises(Unavailable) as failure, TRANSLATED:
        raise cause
    return failure.value


def test_an_assertion_and_a_refusal_are() -> None:
    assert noticed(AssertionError("no"))
    assert noticed(Fenced("no"))
    assert noticed(unavailable(ResponseError("no")))


def test_a_lost_connection_a_timeout_and_a_slip_are_not() -> None:
    for nothing in (NotConnected("lost"), TimedOut("late"), OSError("away")):
        assert not noticed(unavailable(nothing))
        assert not noticed(nothing)
    assert not noticed(TimeoutError())
    assert not noticed(AttributeError("a slip of the test"))


@pytest.mark.parametrize("url", ["valkey"], indirect=True)
async def test_a_scenario_that_loses_its_server_is_an_error_and_no_notice(
    survives: Callable[..., Awaitable[bool]],
) -> None:
    async def lost(_: Any) -> None:
        raise NotConnected("lost")

    with pytest.raises(NotConnected):
        await survives(*SAME, [lost])
