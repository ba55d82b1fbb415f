"""Background jobs of an instance besides serving requests: webhooks, alerts, and the ledger's."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from falgate import settings as setting
from falgate.billing.reconcile import Reconciler
from falgate.billing.store.corrections import Corrections
from falgate.jobs.ports import Jobs
from falgate.models.endpoints import MODELS
from falgate.money.archive import Archivist
from falgate.money.store.archive import Archiving
from falgate.money.store.verifications import Verifications
from falgate.money.verifier import LedgerVerifier
from falgate.pictures.archive import Archive
from falgate.pictures.storage import PictureStore
from falgate.settings import Settings, SettingsWrong
from falgate.telemetry.facts import Telemetry
from falgate.upstreams import Upstreams
from falgate.webhooks.alert_hook import AlertHook
from falgate.webhooks.alerts import AlertWorker
from falgate.webhooks.delivery import Signer
from falgate.webhooks.sender import WebhookSender
from falgate.webhooks.store.alerts import Alerts
from falgate.webhooks.store.deliveries import Deliveries
from falgate.webhooks.worker import DeliveryFacts, Outcomes, WebhookWorker

Job = Callable[[], Coroutine[Any, Any, None]]


def alert_hook(settings: Settings) -> AlertHook | None:
    """Return where alerts are sent, or None.

    Raises:
        SettingsWrong: The secret is invalid.
    """
    if not settings.alert_url:
        return None
    try:
        return AlertHook(settings.alert_url, settings.alert_secret)
    except ValueError as error:
        raise SettingsWrong(f"{setting.PREFIX}ALERT_SECRET: {error}") from None


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


def background_jobs(
    settings: Settings,
    redis: Redis,
    owner: str,
    *,
    store: PictureStore,
    jobs: Jobs,
    upstreams: Upstreams,
    hook: AlertHook | None,
    telemetry: Telemetry,
) -> list[Job]:
    """Return the jobs: send alerts, archive and verify the ledger, and reconcile fal's billing."""
    names = tuple(upstreams.names.values())
    found = [
        AlertWorker(Alerts(redis, owner), hook, telemetry).run,
        Archivist(
            Archiving(redis, owner),
            Archive(store),
            names,
            kept_days=settings.ledger_kept_days,
        ).run,
        LedgerVerifier(Verifications(redis, owner), names, telemetry).run,
    ]
    if upstreams.platform and upstreams.billing:
        reconciler = Reconciler(
            upstreams.live,
            upstreams.platform,
            Corrections(redis, owner=owner),
            jobs,
            endpoints=tuple(MODELS),
            facts=telemetry,
        )
        found.append(reconciler.run)
    return found
