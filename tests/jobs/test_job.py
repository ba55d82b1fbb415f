"""A job's states: from a hold to exactly one end."""

from typing import Any, get_args

import pytest

from falgate.jobs.job import ENDS, MOVES, Job, Order, State

STATES = get_args(State)
MONEY_OPEN = {"reserved", "submitting", "accepted"}


def order() -> Order:
    return Order(
        id="1",
        upstream="fal",
        endpoint="acme/easel",
        fingerprint="f",
        generation=0,
        team="red",
        app="shop",
        key="k",
        asked=1,
        reused=0,
        number=1,
        held=107,
        listed=100,
        price_version="1",
        input={"prompt": "a cat"},
        recorded={},
    )


def job(state: Any) -> Job:
    return Job(
        order=order(),
        accounts=(),
        state=state,
        owner="one",
        epoch=1,
        windows=("day:x",),
        began_ms=1,
    )


def reachable(start: State) -> set[State]:
    found: set[State] = set()
    ahead: list[State] = [start]
    while ahead:
        state = ahead.pop()
        if state not in found:
            found.add(state)
            ahead.extend(MOVES[state])
    return found


def test_every_state_has_its_moves_and_they_lead_to_states() -> None:
    assert set(MOVES) == set(STATES)
    assert {state for onward in MOVES.values() for state in onward} <= set(STATES)


def test_every_state_is_reached_from_a_hold_and_none_leads_back() -> None:
    assert reachable("reserved") == set(STATES)
    for state, onward in MOVES.items():
        assert all(state not in reachable(after) for after in onward)


def test_every_state_leads_to_an_end() -> None:
    assert all(reachable(state) & ENDS for state in MOVES)
    assert {"finished", "refused", "released", "unknown"} == ENDS


def test_a_job_is_accepted_when_it_was_marked_or_when_redis_has_lost_the_mark() -> None:
    assert {state for state, onward in MOVES.items() if "submitting" in onward} == {"reserved"}
    before = {state for state, onward in MOVES.items() if "accepted" in onward}
    assert before == {"submitting", "reserved"}


def test_money_moves_once_on_every_way() -> None:
    """Whoever leaves the states with open money has settled, and nothing leads back there."""
    for state in set(STATES) - MONEY_OPEN:
        assert not reachable(state) & MONEY_OPEN
    assert MOVES["paid"] == {"finished"}


def test_what_was_never_sent_cannot_be_charged() -> None:
    assert MOVES["reserved"] & (ENDS | {"paid"}) == {"released"}


@pytest.mark.parametrize("state", STATES)
def test_a_job_has_ended_in_the_ends_only(state: State) -> None:
    assert job(state).ended == (state in ENDS)


def test_an_order_is_charged_to_the_whole_chain() -> None:
    assert [account.name for account in order().accounts] == [
        "organisation:main",
        "team:red",
        "app:red/shop",
        "key:k",
        "model:acme/easel",
    ]


def test_an_order_waits_as_long_as_is_usual_unless_it_says_otherwise() -> None:
    assert (order().priority, order().start_within_s, order().saved) == ("normal", 0, 0)


def test_a_new_job_is_in_no_trouble_and_has_cost_nothing() -> None:
    new = job("reserved")

    assert (new.trouble, new.charged, new.overrun, new.request_id) == ("", 0, 0, "")
    assert (new.pictures, new.answer, new.output, new.remaining) == ((), None, None, None)
