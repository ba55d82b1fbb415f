"""The money table: settle, release or charge in full, for every ending that fal has."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from falgate.fal.replies import Delivered, DownloadFailed, Failed, FalAnswer, Rejected, Unsent
from falgate.jobs.job import MOVES
from falgate.jobs.settlement import after_result, after_submit, is_zero
from falgate.models.spec import Expected, ModelSpec

HELD = 4 * 107


class Input(msgspec.Struct, frozen=True):
    """Each picture 100, its text 3 to 7."""

    num_images: int = 4


SPEC = ModelSpec(
    endpoint="acme/easel",
    title="Easel",
    schema_name="Easel",
    category="text-to-image",
    input=Input,
    output=Input,
    schema_version=1,
    price_version="1",
    image_price=lambda _: 100,
    text_ceiling=lambda _, number: 7 * number,
    text_estimate=lambda _, number: 3 * number,
    expected=lambda _: Expected("image/png", 1, 1),
)


def output(number: int) -> dict[str, Any]:
    return {"images": [{"url": f"https://pictures/{index}"} for index in range(number)]}


def refusal(status: int) -> FalAnswer:
    return FalAnswer(status, {"detail": "no"}, {"x-fal-needs-retry": "0"})


def test_what_never_left_is_given_back_and_joiners_hear_of_it() -> None:
    settlement = after_submit(Unsent("connection refused"))

    assert (settlement.state, settlement.charge, settlement.delivered) == ("released", 0, 0)
    assert settlement.answer is not None
    assert settlement.answer.status == 503


@pytest.mark.parametrize(
    ("status", "state"),
    [
        # What fal says about this input is shared.
        (400, "refused"),
        (402, "released"),
        (405, "refused"),
        (408, "refused"),
        (409, "refused"),
        (413, "refused"),
        (422, "refused"),
        (451, "refused"),
        (499, "refused"),
        # What it says about this gateway's key, balance, model or pace is not.
        (401, "released"),
        (403, "released"),
        (404, "released"),
        (429, "released"),
    ],
)
def test_a_4xx_to_the_submit_gives_everything_back(status: int, state: str) -> None:
    settlement = after_submit(Rejected(refusal(status)))

    assert (settlement.state, settlement.charge, settlement.delivered) == (state, 0, 0)
    assert settlement.answer == refusal(status)


@pytest.mark.parametrize("units", [None, "", "1", "4", "0", "0.0", "junk"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_delivered_pictures_are_paid_by_their_number_whatever_the_units_say(
    number: int, units: str | None
) -> None:
    settlement = after_result(SPEC, Input(), HELD, Delivered(output(number), units))

    assert (settlement.state, settlement.charge) == ("paid", 103 * number)
    assert (settlement.delivered, settlement.answer) == (number, None)


def test_more_pictures_than_asked_are_all_paid_above_the_hold() -> None:
    settlement = after_result(SPEC, Input(1), 107, Delivered(output(2), None))

    assert (settlement.state, settlement.charge, settlement.delivered) == ("paid", 206, 2)


@pytest.mark.parametrize(
    "empty",
    [
        output(0),
        {},
        [],
        None,
        "images",
        {"images": None},
        {"images": {}},
        {"images": [None, "https://pictures/0", {}, {"url": 1}, {"file": "x"}]},
    ],
)
@pytest.mark.parametrize(("units", "charge"), [(None, HELD), ("1", HELD), ("0", 0)])
def test_a_result_without_a_picture_is_charged_in_full_unless_fal_says_zero(
    empty: Any, units: str | None, charge: int
) -> None:
    settlement = after_result(SPEC, Input(), HELD, Delivered(empty, units))

    assert (settlement.state, settlement.charge, settlement.delivered) == ("refused", charge, 0)
    assert settlement.answer is not None
    # A 502 would be sent again, and be paid again.
    assert settlement.answer.status == 422


@pytest.mark.parametrize("status", [408, 409, 429])
def test_a_refusal_that_was_paid_for_is_told_with_a_status_that_nobody_sends_again(
    status: int,
) -> None:
    said = FalAnswer(status, {"detail": "slow down"}, {})

    paid = after_result(SPEC, Input(), HELD, Failed(said, None))
    free = after_result(SPEC, Input(), HELD, Failed(said, "0"))

    assert (paid.charge, paid.answer) == (HELD, FalAnswer(422, said.body, {}))
    assert (free.charge, free.answer) == (0, said)


def test_a_picture_that_has_lost_its_price_meanwhile_is_charged_as_held() -> None:
    unpriced = msgspec.structs.replace(SPEC, image_price=lambda _: {"kept": 1}["gone"])

    settlement = after_result(unpriced, Input(), HELD, Delivered(output(1), None))

    assert (settlement.state, settlement.charge) == ("paid", HELD)


@pytest.mark.parametrize(
    ("status", "units", "charge"),
    [
        # fal never bills a 5xx.
        (500, None, 0),
        (502, "1", 0),
        (503, None, 0),
        (504, "", 0),
        (599, None, 0),
        # A runner may have worked before it refused.
        (422, None, HELD),
        (422, "1", HELD),
        (422, "junk", HELD),
        (400, None, HELD),
        (403, None, HELD),
        (499, None, HELD),
        # It did not.
        (422, "0", 0),
        (422, "0.0", 0),
        (400, "0", 0),
    ],
)
def test_a_refused_result_is_free_only_where_fal_promises_or_says_so(
    status: int, units: str | None, charge: int
) -> None:
    settlement = after_result(SPEC, Input(), HELD, Failed(refusal(status), units))

    assert (settlement.state, settlement.charge, settlement.delivered) == ("refused", charge, 0)
    assert settlement.answer == refusal(status)


@pytest.mark.parametrize("units", ["0", "00", "0.0", "0.", ".0", " 0 ", "0.000000"])
def test_these_are_zero_units(units: str) -> None:
    assert is_zero(units)


@pytest.mark.parametrize(
    "units",
    [
        None,
        "",
        " ",
        ".",
        "1",
        "0.1",
        "10",
        "0.0.0",
        "-0",
        "+0",
        "0e0",
        "0x0",
        "nan",
        "0,0",
        "\N{ARABIC-INDIC DIGIT ZERO}",
    ],
)
def test_these_are_not(units: str | None) -> None:
    assert not is_zero(units)


@given(st.text() | st.from_regex(r"[0-9]*\.?[0-9]*", fullmatch=True))
def test_only_a_number_that_is_zero_is_zero_units(units: str) -> None:
    if is_zero(units):
        assert float(units) == 0


@given(st.integers(1, 4), st.integers(100, 599), st.none() | st.text(max_size=4), st.integers(0, 4))
def test_nothing_within_the_order_is_charged_above_the_hold(
    number: int, status: int, units: str | None, delivered: int
) -> None:
    arguments, held = Input(number), 107 * number
    failed = after_result(SPEC, arguments, held, Failed(refusal(status), units))
    came = after_result(SPEC, arguments, held, Delivered(output(min(delivered, number)), units))

    for settlement in (failed, came):
        assert 0 <= settlement.charge <= held
        assert settlement.state in MOVES["accepted"]


def test_a_failed_download_says_why() -> None:
    assert str(DownloadFailed("404")) == "404"


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        (Failed(refusal(422), None), "fal answered 422"),
        (Failed(FalAnswer(422, {"detail": [{"type": "content_policy_violation"}]}, {}), None),
         "content_policy_violation"),
        (Failed(FalAnswer(422, {"error_type": "bad_request"}, {}), None), "bad_request"),
        (Failed(FalAnswer(422, {"detail": [{"type": "a fox, "}]}, {}), None), "fal answered 422"),
        (Delivered(output(0), None), "fal delivered no picture"),
    ],
)  # fmt: skip
def test_where_nothing_was_made_no_margin_for_reasoning_is_booked_and_it_says_why(
    ending: Delivered | Failed, why: str
) -> None:
    thoughtful = msgspec.structs.replace(SPEC, reasoning_ceiling=lambda _, number: 5 * number)

    settlement = after_result(thoughtful, Input(), HELD, ending)

    assert (settlement.state, settlement.charge, settlement.why) == ("refused", 4 * 102, why)
    assert after_result(thoughtful, Input(), 300, ending).charge == 300
