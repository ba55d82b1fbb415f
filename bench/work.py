"""The work that everybody gets: one POST with a body of 150 bytes, and its answer."""

import json

MODEL = "/fal-ai/gpt-image-1.5"
BODY_BYTES = 150


def body(prompt: str, **more: object) -> bytes:
    """A body of 150 bytes whose prompt begins so; longer if it does not fit."""
    asked = {"prompt": prompt, "quality": "low", **more}
    missing = BODY_BYTES - len(json.dumps(asked))
    asked["prompt"] = prompt + " and its light on the calm evening sea"[: max(0, missing)].ljust(
        max(0, missing), "."
    )
    return json.dumps(asked).encode()


def headers(key: str) -> dict[str, str]:
    """The headers of a call with falgate's key, or one as long."""
    return {"Authorization": f"Key {key}", "Content-Type": "application/json"}
