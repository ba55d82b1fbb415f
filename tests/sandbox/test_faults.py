import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Serve = Callable[..., httpx.Client]
MODEL = "/queue/fal-ai/gpt-image-1.5"
BODY = {"prompt": "a fox"}


def broken(serve: Serve, at: str, fault: str, **dials: Any) -> httpx.Client:
    client = serve()
    turned = {"work_s": 0, "at": at, "fault": fault, **dials}
    assert client.post("/sandbox/dials", json=turned).status_code == 200
    return client


def fetched(client: httpx.Client, at: str) -> httpx.Response:
    """Go as far as the answer that is spoilt."""
    submit = client.post(MODEL, json=BODY)
    if at in {"submit", "accepted"}:
        return submit
    accepted = submit.json()
    if at == "status":
        return client.get(accepted["status_url"])
    result = client.get(accepted["response_url"])
    return client.get(result.json()["images"][0]["url"]) if at == "media" else result


def address(client: httpx.Client, at: str) -> str:
    """Where the answer to a new request is that is spoilt."""
    accepted = client.post(MODEL, json=BODY).json()
    places = {
        "status": accepted["status_url"],
        "result": accepted["response_url"],
        "media": f"/files/b/{accepted['request_id']}/0.png",
    }
    return str(places[at])


def accepted(client: httpx.Client) -> int:
    number: int = client.get("/sandbox/books").json()["accepted"]
    return number


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500, 502, 503, 504])
def test_a_submit_can_be_refused_with_any_status(serve: Serve, status: int) -> None:
    client = broken(serve, "submit", "error", status=status)
    reply = fetched(client, "submit")
    assert reply.status_code == status
    assert reply.json()["detail"]
    assert reply.headers["x-fal-request-id"]
    assert accepted(client) == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_submit_can_be_accepted_and_answered_with_an_error(serve: Serve, status: int) -> None:
    client = broken(serve, "accepted", "error", status=status)
    assert fetched(client, "accepted").status_code == status
    assert accepted(client) == 1


@pytest.mark.parametrize(("at", "kept"), [("submit", 0), ("accepted", 1)])
@pytest.mark.parametrize("fault", ["dropped", "truncated", "hangs"])
def test_the_answer_to_a_submit_can_be_lost_before_and_after_it_is_accepted(
    serve: Serve, fault: str, at: str, kept: int
) -> None:
    client = broken(serve, at, fault)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadTimeout)) as error:
        client.post(MODEL, json=BODY, timeout=0.3 if fault == "hangs" else 10)
    assert (error.type is httpx.ReadTimeout) == (fault == "hangs")
    assert accepted(client) == kept


@pytest.mark.parametrize("at", ["status", "result", "media"])
@pytest.mark.parametrize("fault", ["dropped", "truncated", "hangs"])
def test_any_later_answer_can_be_lost(serve: Serve, fault: str, at: str) -> None:
    client = broken(serve, at, fault)
    url = address(client, at)
    client.timeout = httpx.Timeout(0.3 if fault == "hangs" else 10)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadTimeout)) as error:
        client.get(url)
    assert (error.type is httpx.ReadTimeout) == (fault == "hangs")


@pytest.mark.parametrize(("fault", "part"), [("dropped", 0.0), ("truncated", 0.5)])
def test_a_picture_is_cut_where_the_fault_says(serve: Serve, fault: str, part: float) -> None:
    client = broken(serve, "media", fault)
    with client.stream("GET", address(client, "media")) as reply:
        length = int(reply.headers["content-length"])
        with pytest.raises(httpx.RemoteProtocolError):
            reply.read()
        assert reply.num_bytes_downloaded == int(length * part)


@pytest.mark.parametrize("at", ["status", "result", "media"])
def test_an_answer_can_drip(serve: Serve, at: str) -> None:
    client = broken(serve, at, "slow")
    begun_s = time.monotonic()
    with client.stream("GET", address(client, at)) as reply:
        pieces = reply.iter_raw()
        received = b"".join(next(pieces) for _ in range(3))
    assert len(received) == 3
    assert time.monotonic() - begun_s >= 0.2


@pytest.mark.parametrize("at", ["accepted", "status", "result", "media"])
def test_an_answer_can_be_junk(serve: Serve, at: str) -> None:
    reply = fetched(broken(serve, at, "junk"), at)
    assert (reply.status_code, reply.content[:6]) == (200, b"<html>")


@pytest.mark.parametrize("body", ["", "[]", '{"request_id": 5}'])
def test_the_junk_can_be_chosen(serve: Serve, body: str) -> None:
    reply = fetched(broken(serve, "accepted", "junk", body=body), "accepted")
    assert (reply.status_code, reply.text) == (200, body)


def test_a_stream_of_statuses_can_break_off(serve: Serve) -> None:
    client = broken(serve, "status", "truncated", work_s=60)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{address(client, 'status')}/stream")


def test_a_stream_of_statuses_can_be_refused_once(serve: Serve) -> None:
    client = broken(serve, "status", "error", status=404, faults=1)
    url = f"{address(client, 'status')}/stream"
    assert [client.get(url).status_code for _ in range(2)] == [404, 200]


@pytest.mark.parametrize("at", ["accepted", "result", "media"])
def test_an_answer_can_be_mistyped(serve: Serve, at: str) -> None:
    assert fetched(broken(serve, at, "mistyped"), at).headers["content-type"] == "text/html"


@pytest.mark.parametrize(
    ("at", "status", "body"),
    [
        ("status", 404, b'{"status":"NOT_FOUND"}'),
        ("result", 404, b'{"detail":"Request not found"}'),
    ],
)
def test_a_known_request_can_be_forgotten(serve: Serve, at: str, status: int, body: bytes) -> None:
    reply = fetched(broken(serve, at, "error", status=status), at)
    assert (reply.status_code, reply.content) == (status, body)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_picture_can_be_refused(serve: Serve, status: int) -> None:
    assert fetched(broken(serve, "media", "error", status=status), "media").status_code == status


def test_an_errors_body_can_be_given(serve: Serve) -> None:
    reply = fetched(broken(serve, "result", "error", status=418, body="teapot"), "result")
    assert (reply.status_code, reply.text) == (418, "teapot")


def test_an_ingress_knows_nothing_of_requests(serve: Serve) -> None:
    reply = fetched(broken(serve, "accepted", "ingress"), "accepted")
    assert reply.status_code == 502
    assert "x-fal-request-id" not in reply.headers
    assert "nginx" in reply.text


def test_addresses_can_name_another_host(serve: Serve) -> None:
    submit = fetched(broken(serve, "accepted", "foreign"), "accepted").json()
    result = fetched(broken(serve, "result", "foreign"), "result").json()
    assert submit["status_url"].startswith("https://files.elsewhere.invalid/queue/")
    assert result["images"][0]["url"].startswith("https://files.elsewhere.invalid/files/")


@pytest.mark.parametrize("at", ["result", "media"])
def test_an_answer_can_be_without_end(serve: Serve, at: str) -> None:
    client = broken(serve, at, "huge")
    received = 0
    with client.stream("GET", address(client, at)) as reply:
        for chunk in reply.iter_raw():
            received += len(chunk)
            if received > 10_000_000:
                break
    assert received > 10_000_000
    assert "content-length" not in reply.headers


def test_a_fault_can_be_for_the_next_submits_only(serve: Serve) -> None:
    client = broken(serve, "submit", "error", status=503, times=2)
    codes = [client.post(MODEL, json=BODY).status_code for _ in range(3)]
    assert codes == [503, 503, 200]


def test_a_fault_can_spoil_the_first_answers_only(serve: Serve) -> None:
    client = broken(serve, "result", "error", status=500, faults=2)
    for _ in range(2):
        accepted = client.post(MODEL, json=BODY).json()
        codes = [client.get(accepted["response_url"]).status_code for _ in range(3)]
        assert codes == [500, 500, 200]


def test_a_request_keeps_the_dials_of_its_submit(serve: Serve) -> None:
    client = broken(serve, "result", "error", status=500)
    accepted = client.post(MODEL, json=BODY).json()
    client.delete("/sandbox/dials")
    assert client.get(accepted["response_url"]).status_code == 500
