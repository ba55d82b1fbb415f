"""Clients of other makes, unmodified and with their defaults, against a running gateway."""

import json
from typing import Any
from uuid import uuid4

MODEL = "/fal-ai/gpt-image-1.5"
LARGE = 5 * 1024 * 1024


def wish() -> bytes:
    """A body that nobody has sent before."""
    return json.dumps(
        {"prompt": f"a lighthouse {uuid4()}", "quality": "low", "output_format": "jpeg"}
    ).encode()


def test_a_client_buys_finds_fetches_and_errs_over_one_connection(
    client: Any, gateway: Any, relay: Any
) -> None:
    base, body = f"http://127.0.0.1:{relay.port}", wish()

    bought = client.ask("POST", base + MODEL, gateway.key, body)
    found = client.ask("POST", base + MODEL, gateway.key, body)
    picture = json.loads(bought.body)["images"][0]["url"]
    fetched = client.ask("GET", picture, gateway.key)
    wrong = client.ask("POST", base + MODEL, gateway.key, b'{"prompt": 1}')
    again = client.ask("POST", base + MODEL, gateway.key, body)
    looked = client.ask("HEAD", picture, gateway.key)  # the last one: undici ends with it

    assert [(bought.status, bought.cache), (found.status, found.cache)] == [
        ("200", "miss"),
        ("200", "hit"),
    ]
    assert found.body == again.body
    assert json.loads(bought.body)["images"] == json.loads(found.body)["images"]
    assert (fetched.status, fetched.body[:3]) == ("200", b"\xff\xd8\xff")
    assert (looked.status, looked.body) == ("200", b"")
    assert wrong.status == "422"
    assert picture.startswith(base)
    assert relay.connections == 1


def test_a_client_sees_why_a_large_request_is_refused(client: Any, gateway: Any) -> None:
    """The answer is there long before the body is sent: it arrives, and no reset before it."""
    for _ in range(5):
        refused = client.ask("POST", gateway.url + MODEL, "fgk_wrong", bytes(LARGE))
        assert refused.status == "401", refused
    served = client.ask("POST", gateway.url + MODEL, gateway.key, wish())

    assert served.status == "200"


def test_a_client_hears_a_status_stream_to_its_end(client: Any, gateway: Any) -> None:
    submitted = client.ask("POST", f"{gateway.url}/queue{MODEL}", gateway.key, wish())
    stream = json.loads(submitted.body)["status_url"] + "/stream"
    heard = client.ask("GET", stream, gateway.key)
    told = [line for line in heard.body.splitlines() if line.startswith(b"data: ")]

    assert heard.status == "200"
    assert json.loads(told[-1][6:])["status"] == "COMPLETED"
