"""Picture URLs: public and without a key; pictures are drawn when they are fetched."""

import asyncio
import time
from typing import Any

from litestar import Request
from litestar.types import ASGIApp

from falgate.core.picture import EXTENSIONS
from falgate.sandbox import outcome
from falgate.sandbox.answer import Answer
from falgate.sandbox.record import life, new_id
from falgate.sandbox.state import SandboxState


async def serve(
    state: SandboxState, request: Request[Any, Any, Any], request_id: str, name: str
) -> ASGIApp:
    """Respond with a picture, or with 404."""
    state.visits.routes["media"] += 1
    if "authorization" in request.headers:
        state.visits.routes["media_with_authorization"] += 1
    record = state.records.get(request_id)
    missing = Answer(
        404, b"Not Found", {"content-type": "text/plain", "x-fal-request-id": new_id(time.time())}
    )
    if record is None or record.arguments is None:
        return missing
    spec = state.models[record.endpoint]
    content_type = outcome.content_type(record, spec)
    names = [f"{n}.{EXTENSIONS[content_type]}" for n in range(outcome.delivered(record, spec))]
    if name not in names or life(record).status(time.time()) != "COMPLETED":
        return missing
    body = await asyncio.to_thread(outcome.picture, record, spec, names.index(name))
    headers = {
        "content-type": content_type,
        "x-fal-request-id": record.id,
        "access-control-allow-origin": "*",
        "cache-control": "public, max-age=31536000",
    }
    return state.spoil(Answer(200, body, headers), record, "media", state.base_url(request))
