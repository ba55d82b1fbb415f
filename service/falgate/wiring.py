"""The composition root: settings in, a running gateway out. It alone knows the concrete classes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import msgspec
from litestar.types import ASGIApp

from falgate import settings as setting
from falgate.api.address import LOCAL, Address
from falgate.api.admin.cache import CacheServices
from falgate.api.admin.services import AdminServices
from falgate.api.app import Applications, create_applications
from falgate.api.cors import Cors
from falgate.api.edge import refused_at_the_edge
from falgate.api.told import Told
from falgate.core.apikey import Kind
from falgate.core.budget import ORGANISATION, Position
from falgate.core.errors import Unavailable
from falgate.core.money import Micros
from falgate.errands import alert_hook, errands
from falgate.flow.administer import Administration
from falgate.flow.completion import Completions
from falgate.flow.deliveries_admin import DeliveryDesk
from falgate.flow.ports import Ports
from falgate.flow.reaper import Reaper
from falgate.flow.reports import Reports
from falgate.flow.reroll import Rerolls
from falgate.flow.workshop import Workshop, workshop
from falgate.flow.wrong_keys import WrongKeys
from falgate.ground import Ground, open_ground
from falgate.keeping import Keeping, open_keeping
from falgate.models import MODELS
from falgate.opening import running
from falgate.pictures.convert import Converter
from falgate.settings import Settings
from falgate.store import wakes
from falgate.store.budgets import Budgets
from falgate.store.deliveries import Deliveries
from falgate.store.delivery_lists import DeliveryLists
from falgate.store.entries import Entries
from falgate.store.hooks import Accounts
from falgate.store.places import Places
from falgate.store.rates import Rates
from falgate.store.registry import Registry
from falgate.store.standings import Standings
from falgate.store.sweep import sweep
from falgate.telemetry.facts import Telemetry
from falgate.telemetry.lag import watch_lag
from falgate.telemetry.metrics import TEAMS_MAX, Metrics
from falgate.telemetry.tally import Tally
from falgate.telemetry.troubles import Troubles
from falgate.vitals import Vitals
from falgate.webhooks import open_delivering

_LOOK_S_MAX = 5.0


class Gateway(msgspec.Struct, frozen=True):
    """A running gateway.

    Attributes:
        app: What the apps' listeners serve.
        ops_app: What the operators' listener serves; None where the others have all of it.
        refused: Told the status of each refusal of the server itself; headers to add to it.
        leave: Says from now on that it is not ready: it is about to stop.
        let_go: Lets every waiting caller go.
        budgets: Its money.
        registry: Its teams, apps and keys.
        upstreams: Who sells to each kind of key.
    """

    app: ASGIApp
    ops_app: ASGIApp | None
    refused: Callable[[int], Sequence[tuple[bytes, bytes]]]
    leave: Callable[[], None]
    let_go: Callable[[], None]
    budgets: Budgets
    registry: Registry
    upstreams: Mapping[Kind, str]

    def administration(self, who: str) -> Administration:
        """What an operator may look at and change; `who` goes into the audit log."""
        return Administration(
            self.registry, self.budgets, who=who, upstreams=self.upstreams, models=MODELS
        )

    async def budget(self) -> tuple[Position, Micros]:
        """The organisation's budget for today, and the house limit."""
        positions = await self.budgets.positions(self.upstreams["live"], ORGANISATION)
        today = next(position for position in positions if position.window.kind == "day")
        return today, (await self.budgets.house(self.upstreams["live"]))[0]


@asynccontextmanager
async def open_gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """Everything, ready to be served; on leaving, jobs under way are handed over.

    Raises:
        EmbeddedFailed, RedisUnfit, LedgerStrange, SettingsWrong, ProxyWrong, AuthoritiesWrong,
                OSError: Each in one clear line.
    """
    async with AsyncExitStack() as stack:
        troubles = Troubles()
        ground = await open_ground(stack, settings, troubles)
        metrics = await _metrics(ground, troubles)
        tally = Tally(ground.usage, ground.owner)
        telemetry = Telemetry(metrics, tally.add)
        converter = Converter(settings.derived_quality)
        stack.push_async_callback(converter.close)
        kept = open_keeping(ground, converter, telemetry)
        stack.push_async_callback(_last, kept.uses.flush)
        stack.push_async_callback(_last, tally.flush)
        works = _works(ground, telemetry, kept)
        # Left in the opposite order: first nothing new is adopted, then jobs are handed over.
        stack.push_async_callback(works.close)
        told = Told(ground.requests, MODELS, kept.gallery)
        delivering = await stack.enter_async_context(
            open_delivering(settings, ground.redis, ground.signer, told, telemetry)
        )
        hook = alert_hook(settings)
        if hook is not None:
            stack.push_async_callback(hook.close)
        for errand in (
            lambda: wakes.listen(ground.redis, works.wake, works.wake_all),
            lambda: watch_lag(metrics.loop_lag_seconds),
            tally.run,
            kept.uses.run,
            kept.housekeeping.run,
            works.driver.run,
            delivering.run,
            *errands(
                settings,
                ground.redis,
                ground.owner,
                store=ground.store,
                jobs=ground.jobs,
                sellers=ground.sellers,
                hook=hook,
                telemetry=telemetry,
            ),
            _reaper(ground, works).run,
        ):
            await stack.enter_async_context(running(errand))
        yield _gateway(ground, works, kept, metrics, telemetry)


def _gateway(
    ground: Ground, works: Workshop, kept: Keeping, metrics: Metrics, telemetry: Telemetry
) -> Gateway:
    vitals = Vitals(
        Standings(ground.redis, ground.settings.calendar, teams_max=TEAMS_MAX),
        registry=ground.registry,
        trust=ground.trust,
        store=ground.store,
        bytes_max=ground.settings.picture_bytes_max,
        metrics=metrics,
        upstreams=tuple(ground.sellers.names.values()),
    )
    served = _served(ground, works, kept, vitals, telemetry)
    return Gateway(
        app=served.apps,
        ops_app=served.operators,
        refused=lambda status: refused_at_the_edge(telemetry.requested, status),
        leave=vitals.leave,
        let_go=works.let_go,
        budgets=ground.budgets,
        registry=ground.registry,
        upstreams=ground.sellers.names,
    )


async def _metrics(ground: Ground, troubles: Troubles) -> Metrics:
    """Metrics that know the models, the upstreams, and the teams and apps that there are."""
    metrics = Metrics(MODELS, ground.sellers.names.values(), troubles.counted)
    metrics.know(await ground.registry.directory())
    return metrics


def _works(ground: Ground, telemetry: Telemetry, kept: Keeping) -> Workshop:
    settings = ground.settings
    ports = Ports(
        models=MODELS,
        keys=ground.registry,
        rates=Rates(ground.redis),
        budgets=ground.budgets,
        pools=kept.pools,
        catalogue=kept.catalogue,
        uses=kept.uses,
        places=Places(ground.redis),
        jobs=ground.jobs,
        requests=ground.requests,
        pictures=kept.bank,
        sellers=ground.sellers.queues,
        facts=telemetry,
        derives=settings.derive,
        wrong_keys=WrongKeys(ground.registry),
    )
    return workshop(
        ports,
        calendar=settings.calendar,
        lease_s=settings.lease_s,
        start_within_s=settings.upstream_start_timeout_s,
        wait_s=settings.run_timeout_s,
        kept_s=settings.cache_ttl_s,
        distinct_wait_s=settings.distinct_wait_ms / 1000,
    )


def _reaper(ground: Ground, works: Workshop) -> Reaper:
    sellers, settings = ground.sellers, ground.settings

    async def forget(upstream: str, now_ms: int) -> int:
        forgotten = await sweep(ground.redis, upstream, now_ms)
        return forgotten + await ground.requests.sweep(upstream, now_ms)

    return Reaper(
        works.ports,
        works.purchases,
        forget,
        every_s=min(_LOOK_S_MAX, settings.lease_s / 3),
        unknown_after_s=settings.unknown_after_s,
        platforms={sellers.live: sellers.platform} if sellers.platform else {},
        hooked=(sellers.live,) if sellers.signatures else (),
    )


def _served(
    ground: Ground, works: Workshop, kept: Keeping, vitals: Vitals, telemetry: Telemetry
) -> Applications:
    settings, sellers, ports = ground.settings, ground.sellers, works.ports
    completions = None
    if sellers.signatures is not None:
        completions = Completions(
            ports.jobs,
            ports.facts,
            sellers.signatures,
            Accounts(ground.redis),
            secret=ground.secret,
            upstream=sellers.live,
            user=settings.fal_user_id,
        )
    return create_applications(
        works,
        gallery=kept.gallery,
        vitals=vitals,
        address=_address(settings),
        completions=completions,
        administration=AdminServices(
            records=ground.registry,
            books=ground.budgets,
            calendar=settings.calendar,
            upstreams=sellers.names,
            models=MODELS,
            admin_key=settings.admin_key,
            wrong_keys=ports.wrong_keys,
        ),
        reports=Reports(ground.usage, Entries(ground.redis), settings.calendar),
        deliveries=DeliveryDesk(Deliveries(ground.redis), DeliveryLists(ground.redis)),
        cache=CacheServices(
            kept.desk, Rerolls(kept.desk, ports, works.queue, ground.registry), kept.forgetter
        ),
        key_set=ground.signer.key_set(),
        webhook_rules=setting.webhook_rules(settings),
        calendar=settings.calendar,
        requested=telemetry.requested,
        refused=telemetry.refused,
        body_bytes_max=settings.body_bytes_max,
        body_timeout_s=settings.body_timeout_s,
        cors=Cors(frozenset(origins))
        if (origins := setting.names(settings.cors_origins))
        else None,
        apart=bool(settings.ops_listen),
    )


async def _last(flush: Callable[[], Awaitable[None]]) -> None:
    """Post what was counted since the last time; without Redis it is lost, and it is no money."""
    with suppress(Unavailable):
        await flush()


def _address(settings: Settings) -> Address:
    listen = setting.address(settings.listen, "LISTEN")
    return Address(
        public_url=settings.public_url,
        hosts=LOCAL | {listen.host} | set(setting.names(settings.allowed_hosts)),
        fallback_url=f"http://{listen.reachable}",
    )
