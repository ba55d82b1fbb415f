"""Webhook payloads: how a request ended, with the same body as its result."""

from collections.abc import Mapping

import msgspec

from falgate.http import responses
from falgate.http.picture_urls import PictureUrls
from falgate.jobs.ports_requests import Requests
from falgate.models.spec import ModelSpec
from falgate.webhooks.delivery import RequestOutcome


class WebhookPayloads:
    """Builds the outcomes that webhooks report."""

    def __init__(
        self, requests: Requests, models: Mapping[str, ModelSpec], picture_urls: PictureUrls
    ) -> None:
        """Read requests from `requests`, and build picture URLs with `picture_urls`."""
        self._requests = requests
        self._models = models
        self._picture_urls = picture_urls

    async def outcome(self, request_id: str) -> RequestOutcome | None:
        """Return the outcome of a request, or None if it has expired or has not ended.

        Raises:
            Unavailable: Without Redis or the store.
        """
        request = await self._requests.read(request_id)
        if request is None or not request.ended:
            return None
        asked = request.asked
        if request.answer is None:
            assert request.failure is not None, "an ended request has an answer or a failure"
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
