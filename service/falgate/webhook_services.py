"""Webhooks put together: where they may go, who signs and sends them, and the errand."""

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
async def open_delivering(
    settings: Settings, redis: Redis, signer: Signer, outcomes: Outcomes, facts: DeliveryFacts
) -> AsyncIterator[WebhookWorker]:
    """Whose `run` is the errand, for as long as the block.

    Args:
        settings: Where webhooks may go.
        redis: Where they wait.
        signer: With the ledger's key.
        outcomes: What they tell.
        facts: Metrics and logs.
    """
    sender = WebhookSender(signer, setting.webhook_rules(settings))
    try:
        yield WebhookWorker(Deliveries(redis), outcomes, sender, facts)
    finally:
        await sender.close()
