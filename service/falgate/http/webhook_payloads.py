"""What webhooks tell: how a request ended, as its result would be answered."""

from collections.abc import Mapping

import msgspec

from falgate.http import responses
from falgate.http.picture_urls import PictureUrls
from falgate.jobs.ports_requests import Requests
from falgate.models.spec import ModelSpec
from falgate.webhooks.delivery import RequestOutcome


class WebhookPayloads:
    """How requests ended, for those who are told of it."""

    def __init__(
        self, requests: Requests, models: Mapping[str, ModelSpec], picture_urls: PictureUrls
    ) -> None:
        """Read them from `requests`, and let pictures be seen in `picture_urls`."""
        self._requests = requests
        self._models = models
        self._picture_urls = picture_urls

    async def outcome(self, request_id: str) -> RequestOutcome | None:
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
            return RequestOutcome(
                request_id=request_id, ok=False, payload=failure.body, error=failure.error
            )
        output = await responses.body(
            self._models[asked.endpoint],
            request.answer,
            asked.base_url,
            self._picture_urls,
            inline=asked.inline,
        )
        return RequestOutcome(request_id=request_id, ok=True, payload=msgspec.Raw(output))
