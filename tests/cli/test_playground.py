"""`falgate playground` quotes, buys and follows a request with an app's key."""

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from patience import PATIENCE_S

Falgate = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]
BODY = json.dumps({"prompt": "a lighthouse", "quality": "low"})


def test_a_request_is_quoted_bought_and_followed(
    data: Path, tmp_path: Path, falgate: Falgate, start: Start
) -> None:
    with start(data, tmp_path) as gateway:

        def typed(*words: str) -> "subprocess.CompletedProcess[str]":
            given = {"FALGATE_DATA_DIR": str(data), "FALGATE_URL": gateway.url}
            return falgate("playground", *words, **given)

        app = ("--app", "default/default")
        quoted = typed("quote", BODY, *app)
        assert "miss: 0 of 1 pictures are there, 1 to buy" in quoted.stdout, quoted.stderr
        request_id = typed("buy", BODY, *app).stdout.strip()

        def ended() -> bool:
            return bool(json.loads(typed("show", request_id, "--json").stdout)["ended"])

        deadline_s = time.monotonic() + PATIENCE_S
        while not ended():
            assert time.monotonic() < deadline_s
        told = typed("show", request_id).stdout
        assert "miss" in told
        assert ".png" in told
        assert "is no JSON" in typed("buy", "{", *app).stderr
        assert "Give a key, or an app" in typed("buy", BODY).stderr
