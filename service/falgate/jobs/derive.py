"""Conversion: a JPEG or WebP that is wanted is made here from a PNG that the cache has."""

# The PNG (the *master*) is found in the pool of the same request with PNG as its format. The
# converted picture goes into the request's own pool, with the master's age and expiry, because it
# is the same picture.

from collections.abc import Sequence

from msgspec.structs import asdict

from falgate.cache.decision import Decision
from falgate.cache.fingerprint import prompt_digest, version
from falgate.cache.lookup import Pick, PoolReader, look_up
from falgate.cache.pool_info import PoolInfo
from falgate.cache.request import PictureRequest, request_for
from falgate.core.errors import StoreUnavailable
from falgate.core.picture import Picture
from falgate.jobs.admission import AdmittedRequest
from falgate.jobs.ingest import file
from falgate.jobs.ports import Ports
from falgate.pictures.catalogue import NewPicture


async def derive(
    ports: Ports, call: AdmittedRequest, there: Decision, pick: Pick | None = None
) -> bool:
    """Convert masters for a request; return whether its pool has more pictures now.

    With `pick`, masters that other requests are converting are left out.

    Raises:
        Unavailable: Without Redis or the store.
    """
    masters = await derivable(ports.pools, call, there, pick)
    made = [picture for master in masters if (picture := await _made(ports, call, master))]
    generation = there.pool.generation
    for picture in made:
        # The name contains the master, so a second instance that converts the same one adds
        # nothing. It contains the expiry too, so the picture can be made again if it expired before
        # its master, whose expiry was extended by use.
        job_id = f"derived-{picture.master}-{picture.until_s}"
        seen = await ports.pools.append(call.fingerprint, job_id, generation, (picture,))
        generation = seen.generation if seen else generation
    return bool(made)


async def derivable(
    pools: PoolReader, request: PictureRequest, there: Decision, pick: Pick | None = None
) -> Sequence[Picture]:
    """Return the masters that could be converted, no more of them than pictures are missing.

    With `pick`, which also picks among the pictures that are there, only those that it returns.

    Raises:
        Unavailable: Without Redis.
    """
    spec, treatment = request.spec, request.treatment
    arguments = spec.masters(request.arguments)
    if arguments is None or not there.missing or there.fresh or not treatment.derived:
        return ()
    now_s = there.pool.read_s
    has = {picture.master for picture in there.pool.pictures if picture.fresh(now_s)}
    found = await look_up(pools, request_for(spec, arguments, request.upstream, treatment))
    jpeg = spec.expected(request.arguments).content_type == "image/jpeg"
    masters = [
        master
        for master in found.pictures
        # A JPEG has no transparency: transparent parts would be black.
        if master.name not in has and (master.opaque or not jpeg)
    ]
    if pick is not None:
        picked = await pick((*there.pictures, *masters))
        masters = [master for master in picked if master not in there.pictures]
    return masters[: there.missing]


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
        return None  # As if it could not be converted: the picture is bought, if it can be stored.
    fields = asdict(kept)
    # It is the same picture as its master, so it has the same age and expires at the same time.
    return Picture(
        made_s=master.made_s,
        until_s=master.until_s,
        master=master.name,
        scalars=master.scalars,
        parallels=master.parallels,
        **fields,
    )


def about_call(call: AdmittedRequest) -> PoolInfo:
    """Return the description of a request's pool."""
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
