from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.models import price
from falgate.models.endpoints import MODELS
from falgate.models.endpoints.gpt_image_1_5 import SPEC, Input
from falgate.sandbox.app import create_sandbox
from falgate.sandbox.behaviour import Behaviour

Serve = Callable[..., httpx.Client]
MODEL = "/queue/fal-ai/gpt-image-1.5"
BODY = {"prompt": "a fox"}
AT_ONCE = Behaviour(work_s=0)


def books(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/sandbox/books").json()
    return found


def test_the_books_tell_every_submit_with_its_input_and_headers(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    headers = {"X-Fal-No-Retry": "1", "x-app-fal-disable-fallback": "true"}
    accepted = client.post(f"{MODEL}?fal_webhook=http://a.test/", json=BODY, headers=headers).json()
    (entry,) = books(client)["submits"]
    assert entry["request_id"] == accepted["request_id"]
    assert (entry["model"], entry["input"]) == ("fal-ai/gpt-image-1.5", BODY)
    assert entry["headers"]["x-fal-no-retry"] == "1"
    assert entry["headers"]["x-app-fal-disable-fallback"] == "true"
    assert entry["headers"]["authorization"] == "Key"
    assert entry["webhook"] == "http://a.test/"
    assert (entry["state"], entry["ending"], entry["delivered"]) == ("COMPLETED", "worked", 1)
    assert entry["billed_micros"] == price.cost(SPEC, Input(prompt="a fox"), 1)


def test_the_books_hold_no_secret(serve: Serve) -> None:
    client = serve()
    client.post(MODEL, json=BODY)
    assert "secret" not in client.get("/sandbox/books").text


def test_what_was_refused_stands_in_the_books_as_not_accepted(serve: Serve) -> None:
    client = serve()
    client.post(MODEL, json=BODY, headers={"Authorization": "Key nonsense"})
    client.post("/queue/fal-ai/unknown", json=BODY)
    found = books(client)
    assert [entry["accepted"] for entry in found["submits"]] == [False, False]
    assert (found["accepted"], found["billed_micros"]) == (0, 0)


def test_nothing_is_billed_before_the_end(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=60))
    client.post(MODEL, json=BODY)
    assert books(client)["billed_micros"] == 0


def test_a_cancelled_request_is_not_billed(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(queue_s=60))
    client.put(client.post(MODEL, json=BODY).json()["cancel_url"])
    (entry,) = books(client)["submits"]
    assert entry["cancelled_s"] >= entry["submitted_s"]
    assert (entry["ending"], entry["billed_micros"]) == ("cancelled", 0)


def test_the_books_count_what_was_asked(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    accepted = client.post(MODEL, json=BODY).json()
    client.get(accepted["status_url"])
    client.get(accepted["status_url"])
    url = client.get(accepted["response_url"]).json()["images"][0]["url"]
    httpx.get(url, timeout=PATIENCE_S)
    assert books(client)["visits"] == {"status": 2, "result": 1, "media": 1}


def test_a_key_sent_to_a_pictures_address_is_noticed(serve: Serve) -> None:
    client = serve()
    client.get("/files/b/x/0.png")
    assert books(client)["visits"]["media_with_authorization"] == 1


def test_the_books_can_be_cleared(serve: Serve, tmp_path: Path) -> None:
    client = serve(directory=tmp_path)
    accepted = client.post(MODEL, json=BODY).json()
    client.delete("/sandbox/books")
    assert books(client) == {"submits": [], "accepted": 0, "billed_micros": 0, "visits": {}}
    assert client.get(accepted["status_url"]).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sandbox/books"),
        ("DELETE", "/sandbox/books"),
        ("GET", "/sandbox/dials"),
        ("DELETE", "/sandbox/dials"),
        ("DELETE", "/sandbox/work"),
    ],
)
async def test_the_controls_are_for_this_machine_only(method: str, path: str) -> None:
    app = create_sandbox(MODELS)
    for address, code in [("10.1.2.3", 403), ("::1", 200)]:
        transport = httpx.ASGITransport(
            app,  # type: ignore[arg-type]  # httpx types an ASGI message as a plain dictionary
            client=(address, 1),
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://box.test") as client:
            assert (await client.request(method, path)).status_code == code


def test_work_goes_on_until_it_is_ended(serve: Serve, tmp_path: Path) -> None:
    client = serve(behaviour=Behaviour(work_s=3_600), directory=tmp_path)
    accepted = client.post(MODEL, json=BODY).json()
    with client.stream("GET", f"{accepted['status_url']}/stream") as stream:
        lines = (line for line in stream.iter_lines() if line)
        assert "IN_PROGRESS" in next(lines)
        assert client.delete("/sandbox/work").json() == {"ended": 1}
        assert "COMPLETED" in next(lines)
    (entry,) = books(client)["submits"]
    assert entry["submitted_s"] < entry["ended_s"]
    assert entry["ending"] == "worked"
    assert client.delete("/sandbox/work").json() == {"ended": 0}


def test_dials_are_shown_turned_and_put_back(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=7))
    client.post("/sandbox/dials", json={"queue_s": 5})
    turned = client.get("/sandbox/dials").json()
    assert (turned["queue_s"], turned["work_s"]) == (5, 7)
    assert client.delete("/sandbox/dials").json()["queue_s"] == 0


@pytest.mark.parametrize(
    "change", ['{"speed": 1}', '{"queue_s": -1}', '{"fault": "magic"}', "[]", "{"]
)
def test_a_dial_that_does_not_exist_is_refused(serve: Serve, change: str) -> None:
    client = serve()
    before = client.get("/sandbox/dials").json()
    assert client.post("/sandbox/dials", content=change).status_code == 400
    assert client.get("/sandbox/dials").json() == before


def test_dials_given_for_some_submits_at_the_start_are_followed_by_healthy_ones(
    serve: Serve,
) -> None:
    client = serve(behaviour=Behaviour(fault="error", status=503, times=1))
    assert [client.post(MODEL, json=BODY).status_code for _ in range(2)] == [503, 200]


def test_a_sandbox_on_the_same_directory_answers_for_the_requests_of_another(
    serve: Serve, tmp_path: Path
) -> None:
    first = serve(directory=tmp_path, behaviour=AT_ONCE)
    accepted = first.post(MODEL, json=BODY).json()
    path = f"{MODEL}/requests/{accepted['request_id']}"
    second = serve(directory=tmp_path, behaviour=Behaviour(fault="error"))
    assert second.get(f"{path}/status").json()["status"] == "COMPLETED"
    pictures = [
        client.get(httpx.URL(client.get(path).json()["images"][0]["url"]).path).content
        for client in (first, second)
    ]
    assert pictures[0] == pictures[1]
    assert books(second)["accepted"] == 1


def test_a_cancel_through_one_sandbox_is_seen_by_the_other(serve: Serve, tmp_path: Path) -> None:
    dials = Behaviour(queue_s=60)
    first, second = (serve(directory=tmp_path, behaviour=dials) for _ in range(2))
    accepted = first.post(MODEL, json=BODY).json()
    path = f"{MODEL}/requests/{accepted['request_id']}"
    assert second.put(f"{path}/cancel").status_code == 202
    assert first.get(f"{path}/status").json()["error_type"] == "client_cancelled"


def test_a_record_is_one_whole_file(serve: Serve, tmp_path: Path) -> None:
    accepted = serve(directory=tmp_path).post(MODEL, json=BODY).json()
    assert [path.name for path in tmp_path.glob("*.json")] == [f"{accepted['request_id']}.json"]


def test_an_id_reaches_no_file_outside_the_directory(serve: Serve, tmp_path: Path) -> None:
    client = serve(directory=tmp_path / "box", behaviour=AT_ONCE)
    accepted = client.post(MODEL, json=BODY).json()
    record = tmp_path / "box" / f"{accepted['request_id']}.json"
    record.rename(tmp_path / record.name)
    path = f"{MODEL}/requests/..%2f{accepted['request_id']}/status"
    assert client.get(path).status_code == 404


def test_the_platform_lists_billing_events(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    accepted = [client.post(MODEL, json={**BODY, "num_images": 2}).json() for _ in range(2)][1]
    query = {"request_id": accepted["request_id"], "endpoint_id": "fal-ai/gpt-image-1.5"}
    page = client.get("/v1/models/billing-events", params=query).json()
    (event,) = page["billing_events"]
    micros = price.cost(SPEC, Input(prompt="a fox"), 2)
    assert event["request_id"] == accepted["request_id"]
    assert event["output_units"] == 2
    assert event["cost_estimate_nano_usd"] == micros * 1000
    assert event["cost_total"] == micros / 1_000_000
    assert (page["has_more"], page["next_cursor"]) == (False, None)


def test_the_platform_lists_the_requests_of_an_endpoint(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    accepted = client.post(MODEL, json=BODY).json()
    query = {"endpoint_id": "fal-ai/gpt-image-1.5", "expand": "payloads"}
    (item,) = client.get("/queue/v1/models/requests/by-endpoint", params=query).json()["items"]
    assert (item["request_id"], item["json_input"]) == (accepted["request_id"], BODY)
    assert item["status_code"] == 200
    other = client.get("/v1/models/requests/by-endpoint", params={"endpoint_id": "a/b"})
    assert other.json()["items"] == []


def test_the_platforms_lists_come_in_pages(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    ids = [client.post(MODEL, json=BODY).json()["request_id"] for _ in range(3)]
    found, cursor = [], "0"
    while cursor is not None:
        query = {"limit": "2", "cursor": cursor}
        page = client.get("/v1/models/billing-events", params=query).json()
        found += [event["request_id"] for event in page["billing_events"]]
        cursor = page["next_cursor"]
    assert found == ids


def test_the_platforms_lists_can_lag(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(work_s=0, lag_s=60))
    client.post(MODEL, json=BODY)
    assert client.get("/v1/models/billing-events").json()["billing_events"] == []
    assert client.get("/v1/models/requests/by-endpoint").json()["items"] == []


def test_the_platform_has_its_own_form_of_errors(serve: Serve) -> None:
    client = serve()
    refused = client.get("/v1/models/billing-events", headers={"Authorization": ""})
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authorization_error")
    missing = client.get("/v1/models/nothing")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found")
