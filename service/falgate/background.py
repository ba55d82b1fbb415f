"""Background jobs of an instance besides serving requests: webhooks, alerts, and the ledger's."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from redis.asyncio import Redis

from falgate import settings as setting
from falgate.billing.model_drift import ModelDriftWatch
from falgate.billing.reconcile import Reconciler
from falgate.billing.store.corrections import Corrections
from falgate.billing.store.model_drifts import ModelDrifts
from falgate.core.errors import Unavailable
from falgate.money.archive import Archivist
from falgate.money.reports import Reports
from falgate.money.store.archive import Archiving
from falgate.money.store.entries import Entries
from falgate.money.store.usage_sums import UsageSums
from falgate.money.store.verifications import Verifications
from falgate.money.verifier import LedgerVerifier
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.archive import Archive
from falgate.resources import Resources
from falgate.settings import Settings, SettingsWrong
from falgate.telemetry.facts import Telemetry
from falgate.webhooks.alert_hook import AlertHook
from falgate.webhooks.alerts import AlertWorker
from falgate.webhooks.delivery import Signer
from falgate.webhooks.retirement import RetirementWatch
from falgate.webhooks.sender import WebhookSender
from falgate.webhooks.store.alerts import Alerts
from falgate.webhooks.store.deliveries import Deliveries
from falgate.webhooks.worker import DeliveryFacts, Outcomes, WebhookWorker

_SELF = "falgate"
"""Who acts, in the audit log, where no operator does."""

Job = Callable[[], Coroutine[Any, Any, None]]


async def flush_last(flush: Callable[[], Awaitable[None]]) -> None:
    """Write counts to Redis once more; without it they are lost, but no money depends on them."""
    with suppress(Unavailable):
        await flush()


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
    resources: Resources, *, hook: AlertHook | None, telemetry: Telemetry, cache_admin: CacheAdmin
) -> list[Job]:
    """Return the jobs: alerts, models that end, and the ledger's archive, proof and billing."""
    redis, owner, settings = resources.redis, resources.owner, resources.settings
    upstreams = resources.upstreams
    names = tuple(upstreams.names.values())
    alerts = Alerts(redis, owner)
    retirements = RetirementWatch(
        resources.models,
        upstreams.live,
        resources.registry.directory,
        callers=Reports(resources.usage, UsageSums(redis), Entries(redis), settings.calendar),
        alerts=alerts,
        keep=partial(_keep, cache_admin),
    )
    found = [
        AlertWorker(alerts, hook, telemetry).run,
        retirements.run,
        Archivist(
            Archiving(redis, owner),
            Archive(resources.store),
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
            resources.jobs,
            endpoints=tuple(resources.models),
            facts=telemetry,
        )
        found.append(reconciler.run)
    described = [spec for spec in resources.models.values() if spec.described]
    if upstreams.documents and described:
        watch = ModelDriftWatch(
            described,
            upstreams.documents,
            upstreams.platform,
            drifts=ModelDrifts(redis, owner),
            stops=resources.stops,
            facts=telemetry,
            tell=retirements.tell_changed,
        )
        found.append(watch.run)
    return found


async def _keep(cache_admin: CacheAdmin, endpoint: str) -> None:
    """Pin all pictures of a model."""
    _, cursor = await cache_admin.pin_model(endpoint, _SELF)
    while cursor:
        _, cursor = await cache_admin.pin_model(endpoint, _SELF, cursor=cursor)
