"""Curl, as the model's documentation has it: the base URL and the key are all that changes."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from patience import PATIENCE_S

SUBMIT = """
response=$(curl --silent --request POST \\
  --url $QUEUE/fal-ai/gpt-image-1.5 \\
  --header "Authorization: Key $FAL_KEY" \\
  --header "Content-Type: application/json" \\
  --data '{"prompt": "a fox for curl", "quality": "low"}')
REQUEST_ID=$(echo "$response" | grep -o '"request_id": *"[^"]*"' \\
  | sed 's/"request_id": *//; s/"//g')
"""
STATUS = """
curl --silent --request GET \\
  --url $QUEUE/fal-ai/gpt-image-1.5/requests/$REQUEST_ID/status \\
  --header "Authorization: Key $FAL_KEY"
"""
RESULT = """
curl --silent --request GET \\
  --url $QUEUE/fal-ai/gpt-image-1.5/requests/$REQUEST_ID \\
  --header "Authorization: Key $FAL_KEY"
"""
CANCEL = """
curl --silent --request PUT \\
  --url $QUEUE/fal-ai/gpt-image-1.5/requests/$REQUEST_ID/cancel \\
  --header "Authorization: Key $FAL_KEY"
"""


def typed(app: Any, script: str, **variables: str) -> str:
    """What bash says to these lines."""
    target = app.world.target
    done = subprocess.run(
        ["bash", "-c", script],
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "QUEUE": f"{target.base_url}/queue",
            "FAL_KEY": target.key,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return done.stdout


@pytest.fixture
def submitted(app: Any) -> str:
    """The id of a request."""
    return typed(app, f'{SUBMIT}\necho "$REQUEST_ID"').strip()


@pytest.mark.works("submit, status, result", "curl")
def test_the_documented_lines_bring_the_pictures(
    app: Any, submitted: str, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    wait_until(
        lambda: json.loads(typed(app, STATUS, REQUEST_ID=submitted))["status"] == "COMPLETED"
    )
    result = json.loads(typed(app, RESULT, REQUEST_ID=submitted))

    assert result["images"][0]["url"].startswith("http")


@pytest.mark.works("cancel, too late", "curl")
def test_the_documented_cancel_says_what_it_did(
    app: Any, submitted: str, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    wait_until(
        lambda: json.loads(typed(app, STATUS, REQUEST_ID=submitted))["status"] == "COMPLETED"
    )

    said = json.loads(typed(app, CANCEL, REQUEST_ID=submitted))

    assert said == {"status": "ALREADY_COMPLETED"}
