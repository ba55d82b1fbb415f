"""Derived pictures: a JPEG or WebP that is wanted is made here of a PNG that is there."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from falgate.cache.fingerprint import prompt_digest, version
from falgate.cache.policy import EffectivePolicy
from falgate.cache.pool_info import PoolInfo
from falgate.core.errors import StoreUnavailable
from falgate.core.picture import Picture
from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.ingest import file
from falgate.jobs.ports import Pools, Ports
from falgate.jobs.usable import Pick, Usable, look, missing
from falgate.models.spec import ModelSpec
from falgate.pictures.catalogue import NewPicture
from falgate.pictures.ports import Pictures


async def derive(
    ports: Ports, call: AdmittedRequest, there: Usable, pick: Pick | None = None
) -> bool:
    """Make what is missing for a call, as far as there are masters; whether there is more now.

    With `pick` only of what others have not picked: they are making those.

    Raises:
        Unavailable: Without Redis or the store.
    """
    wanted = Wanted(call.spec, call.arguments, call.upstream, call.treatment)
    masters = await derivable(ports.pools, ports.pictures, wanted, there, pick)
    made = [picture for master in masters if (picture := await _made(ports, call, master))]
    generation = there.pool.generation
    for picture in made:
        # Named by its master: whoever else has just made it of the same one adds no second. One
        # whose time was over before its master's, which was used since, is made again.
        job_id = f"derived-{picture.master}-{picture.until_s}"
        seen = await ports.pools.append(call.fingerprint, job_id, generation, (picture,))
        generation = seen.generation if seen else generation
    return bool(made)


class Wanted(msgspec.Struct, frozen=True):
    """What pictures might be made here for.

    Attributes:
        spec: The model.
        arguments: What is asked for.
        upstream: Who would sell it.
        treatment: How the cache treats it.
    """

    spec: ModelSpec
    arguments: Any
    upstream: str
    treatment: EffectivePolicy


async def derivable(
    pools: Pools, store: Pictures, wanted: Wanted, there: Usable, pick: Pick | None = None
) -> Sequence[Picture]:
    """The masters of what could be made here, no more of them than are missing.

    With `pick`, which picks among what is there too, only those that it leaves.

    Raises:
        Unavailable: Without Redis or the store.
    """
    spec, treatment = wanted.spec, wanted.treatment
    arguments = spec.masters(wanted.arguments)
    number = spec.asked(wanted.arguments) - len(there.pictures)
    if arguments is None or number <= 0 or not treatment.derived:
        return ()
    now_s = there.pool.read_s
    has = {picture.master for picture in there.pool.pictures if picture.fresh(now_s)}
    name = treatment.pool_of(spec, arguments, wanted.upstream)
    found, _ = await look(pools, store, name, spec.asked(arguments), treatment)
    jpeg = spec.expected(wanted.arguments).content_type == "image/jpeg"
    masters = [
        master
        for master in found.pictures
        # A JPEG has no transparency: what should be seen through would be black.
        if master.name not in has and (master.opaque or not jpeg)
    ]
    if pick is not None:
        picked = await pick((*there.pictures, *masters))
        masters = [master for master in picked if master not in there.pictures]
        lost = await missing(store, masters)
        masters = [master for master in masters if master not in lost]
    return masters[:number]


async def _made(ports: Ports, call: AdmittedRequest, master: Picture) -> Picture | None:
    content_type = call.spec.expected(call.arguments).content_type
    data = await ports.pictures.convert(master, content_type)
    if data is None:
        return None
    kept = await ports.pictures.examine(data, master.width * master.height)
    about = about_call(call)
    await file(
        ports,
        NewPicture(
            kept=kept,
            value=0,
            app=f"{call.key.team}/{call.key.app}",
            prompt_sha256=about.prompt_sha256,
            fingerprint=call.fingerprint,
            about=about,
            master=master.name,
        ),
    )
    try:
        await ports.pictures.keep(data, kept)
    except StoreUnavailable:
        return None  # As good as not made; what is missing is bought, if that can be kept.
    fields = asdict(kept)
    # As old as its master, and no longer kept: it is the same picture.
    return Picture(made_s=master.made_s, until_s=master.until_s, master=master.name, **fields)


def about_call(call: AdmittedRequest) -> PoolInfo:
    """What the pool of a call is for."""
    spec = call.spec
    return PoolInfo(
        endpoint=spec.endpoint,
        upstream=call.upstream,
        scope=call.treatment.scope,
        variation=call.treatment.variation,
        version=version(spec),
        prompt_sha256=prompt_digest(spec.prompt_of(call.arguments)),
        recorded=spec.noted(call.arguments),
        arguments=spec.purchase(call.arguments, 1) if call.treatment.keep_prompt else None,
    )
