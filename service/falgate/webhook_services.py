"""Builds the webhook worker, which sends the webhooks of queued requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from falgate import settings as setting
from falgate.settings import Settings
from falgate.webhooks.delivery import Signer
from falgate.webhooks.sender import WebhookSender
from falgate.webhooks.store.deliveries import Deliveries
from falgate.webhooks.worker import DeliveryFacts, Outcomes, WebhookWorker


@asynccontextmanager
async def open_webhooks(
    settings: Settings, redis: Redis, signer: Signer, outcomes: Outcomes, facts: DeliveryFacts
) -> AsyncIterator[WebhookWorker]:
    """Yield a worker, whose `run` is a background job, for the duration of the block.

    Args:
        settings: Tell which addresses webhooks may have.
        redis: Has the queue of deliveries.
        signer: Signs with the ledger's key.
        outcomes: Builds the payloads.
        facts: Receives events for metrics and logs.
    """
    sender = WebhookSender(signer, setting.webhook_rules(settings))
    try:
        yield WebhookWorker(Deliveries(redis), outcomes, sender, facts)
    finally:
        await sender.close()
