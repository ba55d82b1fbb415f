from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from falgate.models import price
from falgate.models.endpoints.gpt_image_1_5 import SPEC, Input
from falgate.sandbox.behaviour import Behaviour

Serve = Callable[..., httpx.Client]
MODEL = "/queue/fal-ai/gpt-image-1.5"
BODY = {"prompt": "a fox", "quality": "low", "num_images": 2}


def list_price(pictures: int) -> int:
    return price.cost(SPEC, Input(prompt="a fox", quality="low"), pictures)


def result(client: httpx.Client) -> httpx.Response:
    return client.get(client.post(MODEL, json=BODY).json()["response_url"])


def book(client: httpx.Client) -> dict[str, Any]:
    (entry,) = client.get("/sandbox/books").json()["submits"]
    found: dict[str, Any] = entry
    return found


@pytest.mark.parametrize(
    ("outcome", "status", "retry"),
    [
        ("content_policy_violation", 422, "0"),
        ("no_media_generated", 422, "0"),
        ("generation_timeout", 504, "1"),
        ("internal_server_error", 500, "1"),
        ("downstream_service_error", 500, "1"),
        ("downstream_service_unavailable", 500, "1"),
    ],
)
def test_the_models_errors_come_with_the_result_and_cost_nothing(
    serve: Serve, outcome: str, status: int, retry: str
) -> None:
    client = serve(behaviour=Behaviour(work_s=0))
    client.post("/sandbox/dials", json={"outcome": outcome})
    accepted = client.post(MODEL, json=BODY).json()
    reply = client.get(accepted["response_url"])
    issue = reply.json()["detail"][0]
    assert (reply.status_code, issue["type"]) == (status, outcome)
    assert issue["url"] == f"https://docs.fal.ai/errors#{outcome}"
    assert reply.headers["x-fal-needs-retry"] == retry
    assert "x-fal-billable-units" not in reply.headers
    state = client.get(accepted["status_url"]).json()
    assert (state["status"], state["error_type"]) == ("COMPLETED", outcome)
    entry = book(client)
    assert (entry["delivered"], entry["billed_micros"]) == (0, 0)


def test_a_policy_violation_quotes_the_prompt_as_fal_does(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=0, outcome="content_policy_violation"))
    issue = result(client).json()["detail"][0]
    assert (issue["loc"], issue["input"]) == (["body", "prompt"], "a fox")


@pytest.mark.parametrize(
    ("units", "header"), [(None, None), ("0", "0"), ("1.5", "1.5"), ("", None)]
)
def test_the_units_of_a_failure_are_told_where_the_dials_give_them(
    serve: Serve, units: str | None, header: str | None
) -> None:
    client = serve(behaviour=Behaviour(work_s=0, outcome="content_policy_violation", units=units))
    assert result(client).headers.get("x-fal-billable-units") == header


@pytest.mark.parametrize(("units", "header"), [(None, "2.0"), ("0", "0"), ("", None)])
def test_the_units_of_a_delivery_can_be_changed(
    serve: Serve, units: str | None, header: str | None
) -> None:
    client = serve(behaviour=Behaviour(work_s=0, units=units))
    assert result(client).headers.get("x-fal-billable-units") == header


def test_a_failure_can_be_billed_in_part(serve: Serve) -> None:
    dials = Behaviour(work_s=0, outcome="content_policy_violation", billed_percent=10)
    client = serve(behaviour=dials)
    result(client)
    assert book(client)["billed_micros"] == list_price(2) // 10


@pytest.mark.parametrize(("percent", "factor"), [(None, 1), (100, 1), (200, 2), (0, 0)])
def test_a_delivery_is_billed_at_the_list_price_or_at_a_part_of_it(
    serve: Serve, percent: int | None, factor: int
) -> None:
    client = serve(behaviour=Behaviour(work_s=0, billed_percent=percent))
    result(client)
    assert book(client)["billed_micros"] == factor * list_price(2)


@pytest.mark.parametrize(("outcome", "number"), [("too_few", 1), ("too_many", 3)])
def test_the_number_of_pictures_can_be_wrong(serve: Serve, outcome: str, number: int) -> None:
    client = serve()
    client.post("/sandbox/dials", json={"work_s": 0, "outcome": outcome})
    reply = result(client)
    assert len(reply.json()["images"]) == number
    assert client.get(reply.json()["images"][-1]["url"]).status_code == 200
    assert book(client)["billed_micros"] == list_price(number)


def test_the_list_of_pictures_can_be_empty(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=0, outcome="no_pictures"))
    reply = result(client)
    assert (reply.status_code, reply.json()) == (200, {"images": []})
    assert book(client)["billed_micros"] == 0


def test_pictures_can_be_smaller_than_the_answer_says(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=0, outcome="wrong_size"))
    accepted = result(client).json()["images"][0]
    picture = Image.open(BytesIO(client.get(accepted["url"]).content))
    assert (accepted["width"], accepted["height"]) == (1024, 1024)
    assert picture.size == (512, 512)


def test_pictures_can_be_of_another_format_than_the_answer_says(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=0, outcome="wrong_format"))
    accepted = result(client).json()["images"][0]
    picture = Image.open(BytesIO(client.get(accepted["url"]).content))
    assert (accepted["content_type"], picture.format) == ("image/png", "JPEG")


@pytest.mark.parametrize("outcome", ["never_starts", "never_ends"])
def test_what_does_not_end_costs_nothing(serve: Serve, outcome: str) -> None:
    client = serve()
    client.post("/sandbox/dials", json={"outcome": outcome})
    assert result(client).status_code == 400
    entry = book(client)
    assert entry["state"] == ("IN_QUEUE" if outcome == "never_starts" else "IN_PROGRESS")
    assert (entry["delivered"], entry["billed_micros"]) == (0, 0)


def test_a_run_that_never_ends_waits_until_its_caller_leaves(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(outcome="never_ends"))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/run/fal-ai/gpt-image-1.5", json=BODY, timeout=0.2)
    assert book(client)["sync"] is True
