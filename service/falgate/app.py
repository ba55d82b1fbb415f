"""The composition root: builds a gateway from settings, and alone knows the concrete classes."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import msgspec
from litestar.types import ASGIApp

from falgate import settings as setting
from falgate.accounts.store.audit import AuditLog
from falgate.admin.api.routes import PictureParts
from falgate.admin.api.services import AdminServices
from falgate.admin.service import AdminService
from falgate.admin_app import admin_parts, probes_of
from falgate.background import alert_hook, background_jobs, flush_last, open_webhooks
from falgate.console.links import Links
from falgate.console_services import links_of, open_console
from falgate.core.account import ORGANISATION
from falgate.core.money import Micros
from falgate.fast_path import Hits, open_fast_path
from falgate.first_start import running
from falgate.health import Health, health_of
from falgate.http.app import Applications, create_applications
from falgate.http.body_limits import BodyLimits
from falgate.http.edge import refused_at_the_edge
from falgate.http.forwarded import TrustedProxies
from falgate.http.server import Shortcut
from falgate.http.webhook_payloads import WebhookPayloads
from falgate.input_services import InputServices, open_input_services
from falgate.jobs.callback import FalCallbacks
from falgate.jobs.store import wakes
from falgate.money.budget import Position
from falgate.picture_services import PictureServices, open_picture_services
from falgate.pictures.convert import Converter
from falgate.request_services import reaper_of, request_flow
from falgate.requests.playground import Playground
from falgate.requests.quote import Quotes
from falgate.requests.reroll import Rerolls
from falgate.requests.runtime import Runtime
from falgate.resources import Resources, open_resources
from falgate.settings import Settings
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.lag import watch_lag
from falgate.telemetry.metrics import Metrics
from falgate.telemetry.request_logger import RequestLogger
from falgate.telemetry.sampler import Sampler
from falgate.telemetry.siblings import Siblings
from falgate.telemetry.store.request_logs import RequestLogs
from falgate.telemetry.troubles import Troubles
from falgate.telemetry.usage_counter import UsageCounter
from falgate.webhooks.store.secrets import Accounts


class Gateway(msgspec.Struct, frozen=True):
    """A running gateway.

    Attributes:
        app: What the apps' listeners serve.
        ops_app: What the operators' listener serves; None if the others serve it too.
        shortcut: Answers cache hits before `app`; None if that is switched off.
        refused: Called with the status of each refusal by the server itself; returns headers to
            add.
        leave: Reports "not ready" from now on, because the gateway is about to stop.
        let_go: Releases every waiting caller.
        proxies: Whose word on callers counts.
        services: What operators administer.
        links: Sign people in to the console.
    """

    app: ASGIApp
    ops_app: ASGIApp | None
    shortcut: Shortcut | None
    refused: Callable[[int], Sequence[tuple[bytes, bytes]]]
    leave: Callable[[], None]
    let_go: Callable[[], None]
    proxies: TrustedProxies
    services: AdminServices
    links: Links

    def administration(self, who: str) -> AdminService:
        """Return the admin facade; `who` goes into the audit log."""
        return self.services.administration(who)

    async def budget(self) -> tuple[Position, Micros]:
        """Return the organisation's budget for today, and the overage limit in micro-USD."""
        budgets, live = self.services.budget_store, self.services.upstreams["live"]
        positions = await budgets.positions(live, ORGANISATION)
        today = next(position for position in positions if position.window.kind == "day")
        return today, (await budgets.overage(live))[0]

    async def sign_in_path(self) -> str:
        """Return the path of a new link that signs the first admin in; "" where there is none."""
        first = self.services.access.first
        if self.links.off or first is None:
            return ""
        return (await self.links.link(first, "settings")).path


@asynccontextmanager
async def open_gateway(
    settings: Settings, siblings: Siblings | None = None
) -> AsyncIterator[Gateway]:
    """Open all that a gateway, or one of the workers, needs; on leaving, jobs are handed over.

    Raises:
        EmbeddedFailed, RedisUnfit, LedgerStrange, SettingsWrong, ProxyWrong, AuthoritiesWrong,
            OSError: It cannot start; each says why in one line.
    """
    async with AsyncExitStack() as stack:
        troubles = Troubles()
        resources = await open_resources(stack, settings, troubles)
        metrics = await _metrics(resources, troubles)
        tally = UsageCounter(resources.usage, resources.owner)
        if siblings is not None:
            await stack.enter_async_context(siblings.answering(metrics))
        log = RequestLogger(RequestLogs(resources.redis), metrics.unlogged)
        telemetry = Telemetry(metrics, tally.add, hits_logged=_sampler(settings), log=log)
        converter = Converter(settings.derived_quality)
        stack.push_async_callback(converter.close)
        kept = open_picture_services(resources, converter, telemetry)
        stack.push_async_callback(flush_last, kept.uses.flush)
        stack.push_async_callback(flush_last, tally.flush)
        stack.push_async_callback(flush_last, log.flush)
        inputs = open_input_services(stack, resources, kept)
        works = request_flow(resources, telemetry, kept, inputs)
        hits = open_fast_path(resources, works.ports, kept, telemetry)
        # The stack is left in reverse order: adoption stops first, then jobs are handed over.
        stack.push_async_callback(works.close)
        told = WebhookPayloads(resources.requests, resources.models, kept.picture_urls)
        delivering = await stack.enter_async_context(
            open_webhooks(settings, resources.redis, resources.signer, told, telemetry)
        )
        hook = alert_hook(settings)
        if hook is not None:
            stack.push_async_callback(hook.close)
        for job in (
            lambda: wakes.listen(
                resources.redis, works.wake, works.wakes.wake, works.wakes.wake_all
            ),
            lambda: watch_lag(metrics.loop_lag_seconds),
            tally.run,
            log.run,
            kept.uses.run,
            kept.maintenance.run,
            inputs.sweep,
            works.driver.run,
            delivering.run,
            *background_jobs(
                resources, hook=hook, telemetry=telemetry, cache_admin=kept.cache_admin
            ),
            reaper_of(resources, works).run,
            *hits.jobs,
        ):
            await stack.enter_async_context(running(job))
        yield _gateway(
            resources, works, kept, inputs, telemetry=telemetry, hits=hits, siblings=siblings
        )


async def _metrics(resources: Resources, troubles: Troubles) -> Metrics:
    """Return metrics with series for all models, upstreams, teams and apps."""
    models = resources.models
    retiring = {name: spec.retires for name, spec in models.items() if spec.retires}
    metrics = Metrics(models, resources.upstreams.names.values(), troubles.counted, retiring)
    metrics.know(await resources.registry.directory())
    return metrics


def _gateway(
    resources: Resources,
    works: Runtime,
    kept: PictureServices,
    inputs: InputServices,
    *,
    telemetry: Telemetry,
    hits: Hits,
    siblings: Siblings | None,
) -> Gateway:
    health = health_of(resources, telemetry.metrics, siblings)
    services = AdminServices(
        records=resources.registry,
        budget_store=resources.budgets,
        stop_store=resources.stops,
        calendar=resources.settings.calendar,
        upstreams=resources.upstreams.names,
        models=resources.models,
        admin_key=resources.settings.admin_key,
        slots_max=resources.settings.upstream_concurrency,
        wrong_keys=works.ports.wrong_keys,
    )
    links = links_of(resources)
    served = _served(
        resources,
        works,
        kept,
        inputs,
        health=health,
        telemetry=telemetry,
        services=services,
        links=links,
    )
    return Gateway(
        app=served.apps,
        ops_app=served.operators,
        shortcut=hits.shortcut,
        refused=lambda status: refused_at_the_edge(telemetry.requested, status),
        leave=health.leave,
        let_go=works.wakes.close,
        proxies=resources.proxies,
        services=services,
        links=links,
    )


def _served(
    resources: Resources,
    works: Runtime,
    kept: PictureServices,
    inputs: InputServices,
    *,
    health: Health,
    telemetry: Telemetry,
    services: AdminServices,
    links: Links,
) -> Applications:
    settings, upstreams, ports = resources.settings, resources.upstreams, works.ports
    completions = None
    if upstreams.signatures is not None:
        completions = FalCallbacks(
            ports.jobs,
            ports.facts,
            upstreams.signatures,
            Accounts(resources.redis),
            secret=resources.secret,
            upstream=upstreams.live,
            user=settings.fal_user_id,
        )
    return create_applications(
        works,
        picture_urls=kept.picture_urls,
        health=health,
        address=kept.address,
        completions=completions,
        administration=admin_parts(
            services,
            resources.redis,
            _picture_parts(resources, works, kept, health, links),
        ),
        key_set=resources.signer.key_set,
        webhook_rules=setting.webhook_rules(settings),
        calendar=settings.calendar,
        requested=telemetry.requested,
        refused=telemetry.refused,
        bodies=BodyLimits(
            resources.models,
            bytes_max=settings.body_bytes_max,
            time_s=settings.body_timeout_s,
            input_bytes_max=settings.input_bytes_max,
        ),
        uploads=inputs.uploads,
        console=partial(open_console, resources, services.access, health.troubles)
        if settings.console
        else None,
        cors=resources.cors,
        apart=bool(settings.ops_listen),
    )


def _picture_parts(
    resources: Resources,
    works: Runtime,
    kept: PictureServices,
    health: Health,
    links: Links,
) -> PictureParts:
    ports = works.ports
    return PictureParts(
        cache_admin=kept.cache_admin,
        gallery=kept.gallery,
        thumbnails=kept.thumbnails,
        picture_store=resources.store,
        quotes=Quotes(ports.pools, ports.budgets, ports.stops, ports.places),
        probes=probes_of(resources.settings, resources.redis, health.troubles),
        rerolls=Rerolls(kept.cache_admin, ports, works.queue, resources.registry),
        eraser=kept.eraser,
        playground=Playground(
            ports, works.queue, works.polls, resources.registry, AuditLog(resources.redis)
        ),
        sign_in_links=links,
    )


def _sampler(settings: Settings) -> Sampler:
    logs_hits = settings.log_level in {"debug", "info"}
    return Sampler(settings.log_hits if logs_hits else 0)
