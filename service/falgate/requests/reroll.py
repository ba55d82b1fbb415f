"""Rerolling: a picture is rejected, and another one bought in its place under the usual rules."""

import uuid
from typing import Any

import msgspec
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.ports import Records
from falgate.cache.policy import EffectivePolicy
from falgate.core.account import chain
from falgate.core.errors import InputRejected
from falgate.core.picture import Picture
from falgate.core.problems import Conflict, Invalid
from falgate.fal.options import FalOptions
from falgate.jobs.admission import AdmittedRequest, terms
from falgate.jobs.ports import Ports
from falgate.models import arguments as request
from falgate.models.spec import ModelSpec
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.catalogue import PoolRecord, Record
from falgate.requests.quote import QuoteRequest, Quotes
from falgate.requests.submit import SubmitService


class Rerolled(msgspec.Struct, frozen=True, kw_only=True):
    """A picture in the place of another.

    Attributes:
        request: Id of the request that bought it.
        fingerprint: Of the pool.
        pictures: The new ones.
        billed: What they were charged, micro-USD.
    """

    request: str
    fingerprint: str
    pictures: tuple[Picture, ...]
    billed: int


class Rerolls:
    """Buys pictures in the place of others."""

    def __init__(
        self, desk: CacheAdmin, ports: Ports, queue: SubmitService, records: Records
    ) -> None:
        """Reject at `desk`, buy by `queue` with a key of `records`."""
        self._desk = desk
        self._ports = ports
        self._queue = queue
        self._records = records
        self._quotes = Quotes(ports.pools, ports.pictures, ports.budgets, ports.places)

    async def reroll(self, name: str, who: str, *, body: bytes = b"") -> Rerolled:
        """Take a picture out of every pool, and buy one more for the pool that fal made it for.

        Args:
            name: Which picture; of one that was made here, the one that it was made of.
            who: For the audit log.
            body: The request that it was the answer to, where its prompt is not kept.

        Raises:
            NotFound: It is not stored.
            Conflict: It is in no pool, or no key may buy another one.
            Invalid: The prompt is not kept and not given, or another one is given.
            Refusal: It cannot be bought: then it stays where it is, unless fal was asked already.
        """
        family = await self._desk.family(await self._desk.picture(name))
        record = next((each for each in family if not each.master), family[0])
        shelf = await self._shelf(record)
        call = await self._call(shelf, record, body)
        # First see that another one may be bought: else a picture would be gone for nothing.
        await self._afford(call)
        await self._desk.reject(record.name, who)
        kept = await self._queue.wait(call, key=f"reroll {uuid.uuid4().hex}")
        answer = kept.brought()
        return Rerolled(
            request=kept.asked.id,
            fingerprint=shelf.fingerprint,
            pictures=answer.pictures,
            billed=answer.billed,
        )

    async def _shelf(self, record: Record) -> PoolRecord:
        for name in record.pools:
            shelf = await self._desk.pool(name)
            if any(picture.sha256 == record.sha256 for picture in shelf.pool.pictures):
                return shelf
        raise Conflict("This picture is in no pool (any more)")

    async def _call(self, shelf: PoolRecord, record: Record, body: bytes) -> AdmittedRequest:
        about = shelf.about
        spec = self._ports.models.get(about.endpoint) if about else None
        if about is None or spec is None:
            raise Conflict("Nobody knows any more what this pool is for; purge it")
        arguments = _arguments(spec, about.arguments, body)
        treatment = EffectivePolicy(
            scope=about.scope,
            variation=about.variation,
            fresh="beside",
            keep_prompt=about.arguments is not None,
        )
        name = treatment.pool_of(spec, arguments, about.upstream)
        if name != shelf.fingerprint:
            raise Invalid("That is not the request that this picture was the answer to")
        key = await self._key(record, shelf, about.upstream)
        return AdmittedRequest(
            request_id=str(uuid.uuid4()),
            spec=spec,
            arguments=replace(arguments, **{spec.count: 1, spec.inline: False}),
            key=key,
            terms=terms(key, await self._records.directory()),
            options=FalOptions(),
            treatment=treatment,
            upstream=about.upstream,
            fingerprint=name,
        )

    async def _afford(self, call: AdmittedRequest) -> None:
        key = call.key
        quote = await self._quotes.quote(
            QuoteRequest(
                spec=call.spec,
                arguments=call.arguments,
                upstream=call.upstream,
                fingerprint=call.fingerprint,
                accounts=chain(key.team, key.app, key.id),
                treatment=call.treatment,
            )
        )
        for short in quote.refusing:
            raise Conflict(
                f"The {short.window.kind} budget of {short.account.name} cannot pay for another "
                "picture; this one stays"
            )

    async def _key(self, record: Record, shelf: PoolRecord, upstream: str) -> KeyRecord:
        """A key of the app that bought it, or of another one that shares its pool."""
        now_s = await self._records.now_s()
        directory = await self._records.directory()
        apps = dict.fromkeys((record.app, *shelf.apps))
        for app in apps:
            for key in await self._records.keys(app):
                if (
                    not key.unusable(now_s)
                    and not directory.lacks(key.team, key.app)
                    and self._ports.sellers[key.kind].name == upstream
                ):
                    return key
        raise Conflict(
            f"No key of {', '.join(apps)} may be used, and somebody has to pay for the picture"
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
            "The prompt of this picture is not kept: give the request that it was the answer to"
        )
    return msgspec.convert(kept, spec.input)
