"""A store without room: nothing more is bought, clearly, and what is there is still handed out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from patience import PATIENCE_S

PATH = "/fal-ai/gpt-image-1.5"


def test_where_there_is_no_room_buying_stops_and_hits_go_on(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    with (
        serve(tmp_path, picture_bytes_max="1000") as gateway,
        httpx.Client(base_url=gateway.url, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        headers = {"Authorization": f"Key {gateway.key}"}

        def ask(prompt: str) -> httpx.Response:
            return client.post(PATH, json={"prompt": prompt, "quality": "low"}, headers=headers)

        first = ask("a cat")
        # One look serves a second's callers; until then a rush may still buy.
        dogs = (ask(f"a dog {number}") for number in range(1_000))
        refused = next(answer for answer in dogs if answer.status_code != 200)
        answers = [ask(f"a wolf {number}") for number in range(5)]
        hit = ask("a cat")
        metrics = client.get("/metrics").text

    assert first.status_code == 200
    assert refused.status_code == 503
    assert "store is full" in refused.json()["detail"]
    assert "retry-after" in refused.headers
    assert {answer.status_code for answer in answers} == {503}
    assert hit.headers["x-falgate-cache"] == "hit"
    assert "falgate_pictures_stored" in metrics
