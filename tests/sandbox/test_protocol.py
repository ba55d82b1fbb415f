import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.sandbox.behaviour import Behaviour

Serve = Callable[..., httpx.Client]
MODEL = "fal-ai/gpt-image-1.5"
AT_ONCE = Behaviour(work_s=0)
NEVER = Behaviour(outcome="never_ends")


def submit(client: httpx.Client, **arguments: Any) -> dict[str, Any]:
    reply = client.post(f"/queue/{MODEL}", json={"prompt": "a fox", **arguments})
    assert reply.status_code == 200
    accepted: dict[str, Any] = reply.json()
    return accepted


def test_a_submit_is_answered_with_its_addresses_as_they_were_asked(serve: Serve) -> None:
    client = serve()
    reply = client.post(f"/queue/{MODEL}", json={"prompt": "a"}, headers={"Host": "fal.test"})
    request_id = reply.headers["x-fal-request-id"]
    place = f"http://fal.test/queue/{MODEL}/requests/{request_id}"
    assert (reply.status_code, reply.json()) == (
        200,
        {
            "status": "IN_QUEUE",
            "request_id": request_id,
            "response_url": place,
            "status_url": f"{place}/status",
            "cancel_url": f"{place}/cancel",
            "logs": None,
            "metrics": {},
            "queue_position": 0,
        },
    )


def test_forwarded_headers_change_no_address(serve: Serve) -> None:
    headers = {"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https"}
    reply = serve().post(f"/queue/{MODEL}", json={"prompt": "a"}, headers=headers)
    assert reply.json()["status_url"].startswith("http://127.0.0.1:")


def test_a_fixed_base_begins_every_address(serve: Serve) -> None:
    client = serve(base_url="http://box.test/fal/", behaviour=AT_ONCE)
    headers = {"Host": "queue.box.test"}
    accepted = client.post(f"/{MODEL}", json={"prompt": "a"}, headers=headers).json()
    path = f"/queue/{MODEL}/requests/{accepted['request_id']}"
    assert accepted["response_url"] == f"http://box.test/fal{path}"
    url = client.get(path).json()["images"][0]["url"]
    assert url == f"http://box.test/fal/files/b/{accepted['request_id']}/0.png"


def test_the_host_tells_queue_and_sync_run_apart_at_the_root(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    queued = client.post(f"/{MODEL}", json={"prompt": "a"}, headers={"Host": "queue.fal.test"})
    run = client.post(f"/{MODEL}", json={"prompt": "a"}, headers={"Host": "fal.test"})
    assert queued.json()["response_url"].startswith(f"http://queue.fal.test/{MODEL}/requests/")
    assert run.json()["images"][0]["url"].startswith("http://fal.test/files/b/")


@pytest.mark.parametrize(
    ("dials", "code", "status", "extra"),
    [
        (Behaviour(queue_s=60), 202, "IN_QUEUE", {"queue_position": 0}),
        (NEVER, 202, "IN_PROGRESS", {"logs": None}),
        (AT_ONCE, 200, "COMPLETED", {"logs": None, "metrics": {"inference_time": 0.0}}),
    ],
)
def test_each_status_has_its_code_and_its_body(
    serve: Serve, dials: Behaviour, code: int, status: str, extra: dict[str, Any]
) -> None:
    client = serve(behaviour=dials)
    accepted = submit(client)
    reply = client.get(accepted["status_url"], params={"logs": "0"})
    urls = {
        name: accepted[name] for name in ("request_id", "response_url", "status_url", "cancel_url")
    }
    assert (reply.status_code, reply.json()) == (code, {"status": status, **urls, **extra})
    assert reply.headers["x-fal-request-id"] == accepted["request_id"]


@pytest.mark.parametrize(("logs", "given"), [("1", True), ("true", True), ("false", False)])
def test_logs_come_in_every_spelling_of_the_wish(serve: Serve, logs: str, given: bool) -> None:
    client = serve(behaviour=AT_ONCE)
    accepted = submit(client)
    lines = client.get(accepted["status_url"], params={"logs": logs}).json()["logs"]
    assert ([line["message"] for line in lines] if lines else None) == (
        ["Generating", "Finished"] if given else None
    )


def test_a_result_before_its_time_is_refused(serve: Serve) -> None:
    client = serve(behaviour=NEVER)
    accepted = submit(client)
    reply = client.get(accepted["response_url"])
    assert reply.status_code == 400
    assert reply.json()["detail"] == "Request is still in progress"


@pytest.mark.parametrize("ending", ["", "/", "/response", "/response/"])
def test_a_result_is_given_under_each_of_its_paths(serve: Serve, ending: str) -> None:
    client = serve(behaviour=AT_ONCE)
    accepted = submit(client)
    reply = client.get(accepted["response_url"] + ending)
    assert reply.status_code == 200
    assert reply.headers["x-fal-billable-units"] == "1.0"
    assert reply.headers["x-fal-request-id"] == accepted["request_id"]
    assert reply.json() == {
        "images": [
            {
                "url": f"{client.base_url}".rstrip("/")
                + f"/files/b/{accepted['request_id']}/0.png",
                "content_type": "image/png",
                "file_name": "0.png",
                "width": 1024,
                "height": 1024,
            }
        ]
    }


@pytest.mark.parametrize(
    ("method", "action", "code", "body"),
    [
        ("GET", "/status", 404, {"status": "NOT_FOUND"}),
        ("GET", "", 404, {"detail": "Request not found"}),
        ("GET", "/response", 404, {"detail": "Request not found"}),
        ("PUT", "/cancel", 404, {"status": "NOT_FOUND"}),
        ("GET", "/status/stream", 404, {"status": "NOT_FOUND"}),
        ("POST", "/cancel", 405, None),
        ("PUT", "", 405, None),
        ("GET", "/unheard-of", 404, None),
    ],
)
def test_an_unknown_request_is_not_found(
    serve: Serve, method: str, action: str, code: int, body: dict[str, str] | None
) -> None:
    request_id = "019f7096-b897-7810-8000-000000000000"
    reply = serve().request(method, f"/queue/{MODEL}/requests/{request_id}{action}")
    assert reply.status_code == code
    assert body is None or reply.json() == body


def test_a_request_is_found_under_its_own_model_only(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    request_id = submit(client)["request_id"]
    assert client.get(f"/queue/fal-ai/other/requests/{request_id}").status_code == 404


def test_requests_are_not_addressed_with_a_sub_path(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    request_id = submit(client)["request_id"]
    reply = client.get(f"/queue/{MODEL}/edit/requests/{request_id}/status")
    assert reply.status_code == 405


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("fal-ai/schnell", 'Application "schnell" not found'),
        (f"{MODEL}/x", "Path /x not found"),
    ],
)
@pytest.mark.parametrize("service", ["queue", "run"])
def test_an_unknown_model_is_not_found(serve: Serve, service: str, path: str, detail: str) -> None:
    reply = serve().post(f"/{service}/{path}", json={"prompt": "a"})
    assert reply.status_code == 404
    assert reply.json()["detail"] == detail


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        ("", "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'."),
        ("Key fg_live_abc", "Invalid Key Authorization header format."),
        ("Bearer id:secret", "Invalid Key Authorization header format."),
        ("Key other:secret", "No user found for Key ID and Secret"),
    ],
)
@pytest.mark.parametrize("path", [f"/queue/{MODEL}", f"/run/{MODEL}"])
def test_only_fals_own_keys_are_let_through(
    serve: Serve, path: str, authorization: str, detail: str
) -> None:
    client = serve(behaviour=Behaviour(key_id="id"))
    headers = {"Authorization": authorization}
    reply = client.post(path, json={"prompt": "a"}, headers=headers)
    assert reply.status_code == 401
    assert reply.json()["detail"].startswith(detail)
    assert reply.headers["x-fal-request-id"]


def test_a_status_needs_a_key(serve: Serve) -> None:
    client = serve(behaviour=AT_ONCE)
    accepted = submit(client)
    assert client.get(accepted["status_url"], headers={"Authorization": "x"}).status_code == 401


def test_invalid_input_is_accepted_by_the_queue_and_ends_as_a_422(serve: Serve) -> None:
    client = serve()
    accepted = submit(client, num_images=9)
    status = client.get(accepted["status_url"])
    result = client.get(accepted["response_url"])
    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert status.json()["error"] == "Invalid status code: 422"
    assert status.json()["error_type"] == "less_than_equal"
    assert result.status_code == 422
    assert result.headers["x-fal-billable-units"] == "0"
    assert result.json()["detail"][0]["loc"] == ["body", "num_images"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"prompt": "\xff"}', b"[" * 100_000, b"[]"])
def test_a_run_refuses_invalid_input_at_once(serve: Serve, body: bytes) -> None:
    client = serve(behaviour=Behaviour(queue_s=60))
    headers = {"Content-Type": "application/json"}
    reply = client.post(f"/run/{MODEL}", content=body, headers=headers)
    assert reply.status_code == 422
    assert reply.json()["detail"]


def test_a_run_is_answered_with_the_pictures(serve: Serve) -> None:
    reply = serve(behaviour=Behaviour(work_s=0.05)).post(
        f"/run/{MODEL}", json={"prompt": "a", "num_images": 2}
    )
    assert reply.status_code == 200
    assert reply.headers["x-fal-request-id"]
    assert reply.headers["x-fal-billable-units"] == "2.0"
    assert len(reply.json()["images"]) == 2


def test_a_queued_request_can_be_cancelled(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(queue_s=60))
    accepted = submit(client)
    first = client.put(accepted["cancel_url"])
    assert (first.status_code, first.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    again = client.put(accepted["cancel_url"])
    assert (again.status_code, again.json()) == (400, {"status": "ALREADY_COMPLETED"})
    result = client.get(accepted["response_url"])
    assert (result.status_code, result.json()["error_type"]) == (499, "client_cancelled")


def test_a_request_not_started_in_the_callers_time_ends_as_504(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(outcome="never_starts"))
    headers = {"X-Fal-Request-Timeout": "0.05"}
    accepted = client.post(f"/queue/{MODEL}", json={"prompt": "a"}, headers=headers).json()
    deadline_s = time.monotonic() + PATIENCE_S
    while client.get(accepted["status_url"]).status_code == 202 and time.monotonic() < deadline_s:
        time.sleep(0.01)
    result = client.get(accepted["response_url"])
    assert (result.status_code, result.json()["error_type"]) == (504, "request_timeout")
    assert result.headers["x-fal-request-timeout-type"] == "user"


def test_a_run_not_started_in_the_callers_time_ends_as_504(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(queue_s=60))
    headers = {"X-Fal-Request-Start-Timeout": "0.05"}
    reply = client.post(f"/run/{MODEL}", json={"prompt": "a"}, headers=headers)
    assert (reply.status_code, reply.json()["error_type"]) == (504, "request_timeout")


def test_a_run_over_the_limit_is_refused_with_429(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(outcome="never_ends", concurrency=1))
    submit(client)
    reply = client.post(f"/run/{MODEL}", json={"prompt": "a"})
    assert (reply.status_code, reply.headers["x-fal-needs-retry"]) == (429, "1")


def test_a_stream_tells_each_status_once_and_closes(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(queue_s=0.5, work_s=0.3, keepalive_s=0.02))
    accepted = submit(client)
    reply = client.get(f"{accepted['status_url']}/stream")
    lines = reply.text.split("\n\n")
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line[:5] == "data:"]
    assert [event["status"] for event in events] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert ": keep-alive" in lines
    assert lines[-2].startswith("data: ")


def test_a_stream_notices_a_cancel(serve: Serve) -> None:
    client = serve(behaviour=Behaviour(queue_s=60))
    accepted = submit(client)
    with client.stream("GET", f"{accepted['status_url']}/stream") as reply:
        lines = reply.iter_lines()
        assert "IN_QUEUE" in next(lines)
        client.put(accepted["cancel_url"])
        assert "client_cancelled" in "".join(lines)
