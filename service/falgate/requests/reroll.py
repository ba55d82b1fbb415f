"""Rerolling: rejects a picture and buys another one for its pool, under the usual limits."""

import uuid
from typing import Any

import msgspec
from msgspec.structs import asdict

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.ports import Records
from falgate.cache.policy import EffectivePolicy
from falgate.cache.request import request_for
from falgate.core.change import check_why
from falgate.core.errors import InputRejected
from falgate.core.picture import Picture
from falgate.core.problems import Conflict, Invalid
from falgate.fal.options import FalOptions
from falgate.jobs.admission import AdmittedRequest, terms, terms_for
from falgate.jobs.ports import Ports
from falgate.models import arguments as request
from falgate.models.spec import ModelSpec
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.catalogue import PoolRecord, Record
from falgate.requests.quote import Quotes
from falgate.requests.submit import SubmitService


class Rerolled(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that replaces a rejected one.

    Attributes:
        request: Id of the request that bought it.
        fingerprint: Of the pool.
        pictures: The new pictures.
        billed: What they were charged at, in micro-USD.
    """

    request: str
    fingerprint: str
    pictures: tuple[Picture, ...]
    billed: int


class Rerolls:
    """Rejects pictures and buys others."""

    def __init__(
        self, cache_admin: CacheAdmin, ports: Ports, queue: SubmitService, records: Records
    ) -> None:
        """Reject pictures in `cache_admin`; buy through `queue`, with a key from `records`."""
        self._cache_admin = cache_admin
        self._ports = ports
        self._queue = queue
        self._records = records
        self._quotes = Quotes(ports.pools, ports.budgets, ports.stops, ports.places)

    async def reroll(self, name: str, who: str, *, body: bytes = b"", why: str = "") -> Rerolled:
        """Remove a picture from every pool, and buy another one for the pool that has its master.

        Args:
            name: The picture; a converted one stands for its master.
            who: The user, for the audit log.
            body: The request that the picture was made for, if the prompt is not stored.
            why: The reason, for the audit log.

        Raises:
            NotFound: The picture is not stored.
            Conflict: It is in no pool, or no key may buy another one.
            Invalid: The prompt is neither stored nor given, or another one is given; or the reason
                is not one short line.
            Refusal: Another one cannot be bought. The picture stays, unless fal was asked already.
        """
        # A converted picture shows the same as its master. If only its file were rejected, the next
        # request would convert the master again.
        check_why(why)
        record = await self._cache_admin.root(name)
        pool_record = await self._pool_record(record)
        call = await self._call(pool_record, record, body)
        # Check first that another one can be bought, or the picture would be lost for nothing.
        await self._afford(call)
        await self._cache_admin.reject(record.name, who, what="reroll", why=why)
        kept = await self._queue.wait(call, key=f"reroll {uuid.uuid4().hex}")
        answer = kept.result()
        return Rerolled(
            request=kept.asked.id,
            fingerprint=pool_record.fingerprint,
            pictures=answer.pictures,
            billed=answer.billed,
        )

    async def _pool_record(self, record: Record) -> PoolRecord:
        for name in record.pools:
            pool_record = await self._cache_admin.pool(name)
            if any(picture.sha256 == record.sha256 for picture in pool_record.pool.pictures):
                return pool_record
        raise Conflict("This picture is in no pool")

    async def _call(self, pool_record: PoolRecord, record: Record, body: bytes) -> AdmittedRequest:
        about = pool_record.about
        spec = self._ports.models.get(about.endpoint) if about else None
        if about is None or spec is None:
            raise Conflict("The request of this pool is no longer known; purge the pool")
        arguments = _arguments(spec, about.arguments, body)
        treatment = EffectivePolicy(
            scope=about.scope,
            variation=about.variation,
            fresh="beside",
            keep_prompt=about.arguments is not None,
        )
        if spec.is_seeded(arguments):
            raise Conflict(
                "This picture has a seed, so fal would make the same one again; reject it instead"
            )
        arguments = spec.single(arguments)
        wanted = request_for(spec, arguments, about.upstream, treatment)
        if wanted.fingerprint != pool_record.fingerprint:
            raise Invalid("This is not the request that the picture was made for")
        key = await self._key(record, pool_record, about.upstream)
        directory = await self._records.directory()
        return AdmittedRequest(
            request_id=str(uuid.uuid4()),
            key=key,
            terms=terms_for(terms(key, directory), directory, spec.endpoint),
            options=FalOptions(),
            **asdict(wanted),
        )

    async def _afford(self, call: AdmittedRequest) -> None:
        quote = await self._quotes.quote(call, call.accounts)
        if quote.stopped is not None:
            raise Conflict(f"{quote.stopped.refusal()}; this picture was kept")
        for short in quote.refusing:
            raise Conflict(
                f"The {short.window.kind} budget of {short.account.name} cannot pay for another "
                "picture, so this one was kept"
            )

    async def _key(self, record: Record, pool_record: PoolRecord, upstream: str) -> KeyRecord:
        """Return a usable key of the app that bought the picture, or of one sharing its pool."""
        now_s = await self._records.now_s()
        directory = await self._records.directory()
        apps = dict.fromkeys((record.app, *pool_record.apps))
        for app in apps:
            for key in await self._records.keys(app):
                if (
                    not key.unusable(now_s)
                    and not directory.lacks(key.team, key.app)
                    and self._ports.upstreams[key.kind].name == upstream
                ):
                    return key
        raise Conflict(
            f"None of the keys of {', '.join(apps)} can be used to pay for another picture"
        )


def _arguments(spec: ModelSpec, kept: dict[str, Any] | None, body: bytes) -> Any:
    if body:
        try:
            return request.read(spec, body, "application/json").arguments
        except InputRejected as rejected:
            first = rejected.issues[0]
            raise Invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if kept is None:
        raise Invalid(
            "The prompt of this picture is not stored; give the request that it was made for"
        )
    return msgspec.convert(kept, spec.input)
