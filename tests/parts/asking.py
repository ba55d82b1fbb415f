"""A request as it is stored when its caller has made it."""

from typing import Any

from msgspec.structs import replace

from falgate.jobs.request import RequestSpec

UPSTREAM = "https://queue.example"


def asked(request_id: str = "r", **changes: Any) -> RequestSpec:
    """One for a picture, of app p in team t, with some of its fields changed."""
    usual = RequestSpec(
        id=request_id,
        upstream=UPSTREAM,
        kind="live",
        team="t",
        app="p",
        key="k",
        endpoint="fal-ai/model",
        fingerprint="f",
        arguments={"prompt": "a secret wish"},
    )
    return replace(usual, **changes)
