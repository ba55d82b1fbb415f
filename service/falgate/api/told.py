"""What webhooks tell: how a request ended, as its result would be answered."""

from collections.abc import Mapping

import msgspec

from falgate.api import answers
from falgate.api.gallery import Gallery
from falgate.core.model import ModelSpec
from falgate.core.webhook import Outcome
from falgate.flow.ports_queue import Requests


class Told:
    """How requests ended, for those who are told of it."""

    def __init__(
        self, requests: Requests, models: Mapping[str, ModelSpec], gallery: Gallery
    ) -> None:
        """Read them from `requests`, and let pictures be seen in `gallery`."""
        self._requests = requests
        self._models = models
        self._gallery = gallery

    async def outcome(self, request_id: str) -> Outcome | None:
        """What to tell of a request; None when it is not kept any more.

        Raises:
            Unavailable: Without Redis or the store.
        """
        request = await self._requests.read(request_id)
        if request is None or not request.ended:
            return None
        asked = request.asked
        if request.answer is None:
            assert request.failure is not None, "a request ends with pictures or without"
            failure = request.failure
            return Outcome(
                request_id=request_id, ok=False, payload=failure.body, error=failure.error
            )
        output = await answers.body(
            self._models[asked.endpoint],
            request.answer,
            asked.base_url,
            self._gallery,
            inline=asked.inline,
        )
        return Outcome(request_id=request_id, ok=True, payload=msgspec.Raw(output))
