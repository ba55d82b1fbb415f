"""The sandbox's completion hooks and its lists: what a gateway learns without having been told."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from patience import PATIENCE_S

from falgate.fal.signatures import Signatures

MODEL = "/queue/fal-ai/gpt-image-1.5"
BODY = {"prompt": "a secret wish", "quality": "low"}
PLATFORM = "/v1/models"

Serve = Callable[..., httpx.Client]


class Delivery(NamedTuple):
    """One that came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Who is told.

    Attributes:
        url: Where.
        came: Every delivery.
        answers: Its status for the next ones; 200 after them.
    """

    def __init__(self) -> None:
        self.came: list[Delivery] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.came.append(Delivery(self.path, headers, self.rfile.read(length)))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/told/here"

    def wait(self, number: int) -> list[Delivery]:
        """All that came, once they are so many."""
        end_s = time.monotonic() + PATIENCE_S
        while len(self.came) < number:
            assert time.monotonic() < end_s
            time.sleep(0.005)
        return self.came


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def submit(fal: httpx.Client, receiver: Receiver | None = None, **dials: Any) -> str:
    assert fal.post("/sandbox/dials", json={"work_s": 0, **dials}).status_code == 200
    asked = {"fal_webhook": receiver.url} if receiver else {}
    return str(fal.post(MODEL, json=BODY, params=asked).json()["request_id"])


def test_the_end_of_a_request_is_told_and_signed(serve: Serve, receiver: Receiver) -> None:
    fal = serve()
    request_id = submit(fal, receiver)

    [delivery] = receiver.wait(1)

    payload = json.loads(delivery.body)
    assert (payload["request_id"], payload["status"]) == (request_id, "OK")
    assert payload["payload"] == fal.get(f"{MODEL}/requests/{request_id}").json()
    assert delivery.path == "/told/here"

    async def valid() -> bool:
        signatures = Signatures(str(fal.base_url.join("/.well-known/jwks.json")))
        try:
            return await signatures.valid(delivery.headers, delivery.body, int(time.time()))
        finally:
            await signatures.close()

    assert asyncio.run(valid())


def test_a_failure_is_told_as_one(serve: Serve, receiver: Receiver) -> None:
    submit(serve(), receiver, outcome="content_policy_violation")

    payload = json.loads(receiver.wait(1)[0].body)

    assert (payload["status"], payload["error"]) == ("ERROR", "Invalid status code: 422")
    assert payload["payload"]["detail"][0]["type"] == "content_policy_violation"


def test_it_is_told_again_until_it_is_taken(serve: Serve, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    submit(serve(), receiver)

    accepted = receiver.wait(3)

    assert len({delivery.body for delivery in accepted}) == 1


@pytest.mark.parametrize("times", [0, 3])
def test_a_dial_says_how_often(serve: Serve, receiver: Receiver, times: int) -> None:
    fal = serve()
    submit(fal, receiver, hooks=times)
    submit(fal, receiver, hooks=1)

    assert len(receiver.wait(times + 1)) == times + 1


def test_processes_with_one_directory_have_one_key(serve: Serve, tmp_path: Path) -> None:
    path = "/.well-known/jwks.json"

    first, second = (serve(directory=tmp_path).get(path).json() for _ in range(2))

    assert first == second != serve().get(path).json()
    assert (tmp_path / "hooks.key").stat().st_mode & 0o077 == 0


def test_a_request_without_an_address_is_told_to_nobody(serve: Serve, receiver: Receiver) -> None:
    fal = serve()
    submit(fal)
    submit(fal, receiver)

    receiver.wait(1)

    assert len(receiver.came) == 1


def _ids(fal: httpx.Client, target: str, key: str, **query: str) -> list[str]:
    page = fal.get(f"{PLATFORM}/{target}", params=query).json()
    return [row["request_id"] for row in page[key]]


LISTS = {"requests/by-endpoint": "items", "billing-events": "billing_events"}


@pytest.mark.parametrize(("target", "key"), LISTS.items(), ids=LISTS.values())
def test_lists_are_of_a_time(serve: Serve, target: str, key: str) -> None:
    fal = serve()
    request_id = submit(fal)

    assert _ids(fal, target, key, start="2020-01-01T00:00:00Z") == [request_id]
    assert _ids(fal, target, key, end="2020-01-01T00:00:00Z") == []
    assert _ids(fal, target, key, start="2999-01-01T00:00:00Z") == []
    assert _ids(fal, target, key, start="2020-01-01T00:00:00Z", end="senseless") == [request_id]


@pytest.mark.parametrize(("dial", "left"), [("unlisted", [0, 1]), ("unbilled", [1, 0])])
def test_a_dial_hides_a_request_from_a_list(serve: Serve, dial: Any, left: list[int]) -> None:
    fal = serve()
    hidden: dict[str, Any] = {dial: True}
    submit(fal, **hidden)

    assert [len(_ids(fal, target, key)) for target, key in LISTS.items()] == left
    books = fal.get("/sandbox/books").json()
    assert books["billed_micros"] > 0
