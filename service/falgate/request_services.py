"""Builds the services that requests and jobs go through: the ports, the runtime, the reaper."""

from falgate.accounts.store.gone import GoneModels
from falgate.accounts.store.rates import Rates
from falgate.accounts.store.tracked_keys import KeysAtHand
from falgate.accounts.wrong_keys import WrongKeys
from falgate.cache.store.places import Places
from falgate.input_services import InputServices
from falgate.jobs.ports import Ports
from falgate.jobs.reaper import Reaper
from falgate.jobs.store.sweep import sweep
from falgate.picture_services import PictureServices
from falgate.requests.runtime import Runtime, runtime
from falgate.resources import Resources
from falgate.telemetry.facts import Telemetry

_LOOK_S_MAX = 5.0


def request_flow(
    resources: Resources, telemetry: Telemetry, kept: PictureServices, inputs: InputServices
) -> Runtime:
    """Build the services that requests and jobs go through."""
    settings, registry, tracked = resources.settings, resources.registry, resources.tracked
    ports = Ports(
        models=resources.models,
        keys=KeysAtHand(tracked.keys, registry) if tracked else registry,
        gone=GoneModels(registry),
        rates=Rates(resources.redis),
        budgets=resources.budgets,
        stops=resources.stops,
        pools=kept.pools,
        catalogue=kept.catalogue,
        uses=kept.uses,
        places=Places(resources.redis),
        jobs=resources.jobs,
        requests=resources.requests,
        pictures=kept.intake,
        inputs=inputs.reader,
        sending=inputs.sender,
        upstreams=resources.upstreams.queues,
        facts=telemetry,
        derives=settings.derive,
        wrong_keys=WrongKeys(registry, workers=settings.workers),
    )
    return runtime(
        ports,
        calendar=settings.calendar,
        lease_s=settings.lease_s,
        start_within_s=settings.upstream_start_timeout_s,
        wait_s=settings.run_timeout_s,
        kept_s=settings.cache_ttl_s,
        distinct_wait_s=settings.distinct_wait_ms / 1000,
    )


def reaper_of(resources: Resources, works: Runtime) -> Reaper:
    """Build what adopts the jobs of instances that died."""
    upstreams, settings = resources.upstreams, resources.settings

    async def forget(upstream: str, now_ms: int) -> int:
        forgotten = await sweep(resources.redis, upstream, now_ms)
        return forgotten + await resources.requests.sweep(upstream, now_ms)

    return Reaper(
        works.ports,
        works.purchases,
        forget,
        every_s=min(_LOOK_S_MAX, settings.lease_s / 3),
        unknown_after_s=settings.unknown_after_s,
        platforms={upstreams.live: upstreams.platform} if upstreams.platform else {},
        hooked=(upstreams.live,) if upstreams.signatures else (),
    )
