"""The playground: an operator buys with an app's key, whose secret nobody knows any more."""

from typing import Protocol

import msgspec

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.accounts.operator import Operator
from falgate.accounts.ports import Records
from falgate.accounts.retirement import successor
from falgate.core.change import Change
from falgate.core.problems import Conflict, NotFound
from falgate.jobs.admission import AdmittedRequest, Caller, called_model, permit
from falgate.jobs.admitting import Sent, admitted
from falgate.jobs.authentication import pace
from falgate.jobs.ports import Ports
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import ID
from falgate.requests.owner import Owner
from falgate.requests.quote import Quote, Quotes, Succession, succession
from falgate.requests.status import StatusService
from falgate.requests.submit import SubmitService

_PAGE = 100


class Notes(Protocol):
    """The audit log."""

    async def note(self, change: Change, after: object) -> None:
        """Record an operation and its result; raises `Unavailable`."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as an operator makes it for an app.

    Attributes:
        key: Public id of the key that pays; "" for the first usable one of the app.
        app: "team/app", if no key is given.
        kind: Kind of the app's key.
        model: Endpoint or alias; "" for the first model that does not end.
        body: The request.
        cache_control: As the header.
        variation: As the header.
        request_id: Our id of it.
    """

    key: str = ""
    app: str = ""
    kind: Kind = "live"
    model: str = ""
    body: bytes
    cache_control: str = ""
    variation: str = ""
    request_id: str

    def __repr__(self) -> str:
        """Omit the prompt."""
        return f"Asked({self.request_id})"

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that say the same."""
        given = {"cache-control": self.cache_control, "x-falgate-variation": self.variation}
        return {name: value for name, value in given.items() if value}


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """A quote, for which request, and what its model's successor would cost."""

    call: AdmittedRequest
    quote: Quote
    after: Succession | None


class Playground:
    """Quotes, buys and follows requests of apps for operators."""

    def __init__(
        self,
        ports: Ports,
        queue: SubmitService,
        polls: StatusService,
        records: Records,
        notes: Notes,
    ) -> None:
        """Buy through `queue` with keys from `records`; note in `notes` who did it."""
        self._ports = ports
        self._queue = queue
        self._polls = polls
        self._records = records
        self._notes = notes
        self._quotes = Quotes(ports.pools, ports.budgets, ports.stops, ports.places)

    async def key(self, acting: Operator, asked: Asked) -> KeyRecord:
        """Return the key that pays, whether it can be used or not.

        Raises:
            Forbidden: It is another team's than the lead's.
            NotFound: There is no such key or app.
            Conflict: No key of the app can be used.
            Unavailable: Without Redis.
        """
        if asked.key:
            found, _, _ = await self._ports.keys.key(asked.key)
            if found is None:
                raise NotFound("There is no such key; list the keys to see all of them")
            acting.answer_for(found.team)
            return found
        acting.answer_for(asked.app.partition("/")[0])
        directory, now_s = await self._records.directory(), await self._records.now_s()
        if asked.app not in directory.apps:
            raise NotFound("There is no such app; list the apps to see all of them")
        after = ""
        while page := await self._records.keys(asked.app, after=after, number=_PAGE):
            for each in page:
                if each.kind == asked.kind and not each.unusable(now_s):
                    return each
            after = page[-1].place
        raise Conflict(f"{asked.app} has no {asked.kind} key that can be used; make one first")

    async def quote(self, key: KeyRecord, asked: Asked) -> Quoted:
        """Quote a request as the app would get it; nothing is spent.

        Raises:
            Refusal: As an app gets it.
        """
        caller, call = await self._admitted(key, asked)
        after = self._ports.models.get(successor(call.spec, caller.directory))
        return Quoted(
            call=call,
            quote=await self._quotes.quote(call, call.accounts),
            after=succession(call.spec, call.arguments, after) if after else None,
        )

    async def buy(self, key: KeyRecord, asked: Asked, who: str, *, repeatable: str = "") -> str:
        """Submit a request as the app would; return its id.

        Args:
            key: The key that pays.
            asked: The request.
            who: The operator, for the audit log.
            repeatable: An idempotency key: a repeat gets the request of the first call.

        Raises:
            Refusal: As an app gets it; nothing was bought.
        """
        _, call = await self._admitted(key, asked)
        # Noted before: a purchase that nobody is known to have made would be worse than a note
        # about one that was refused.
        await self._notes.note(
            Change(who=who, action="playground", subject=call.request_id),
            {
                "app": f"{key.team}/{key.app}",
                "key": key.id,
                "model": call.spec.endpoint,
                "pictures": call.wanted,
                "cache_control": asked.cache_control,
            },
        )
        name = f"playground {repeatable}" if repeatable else ""
        kept = await self._queue.submit(call, key=name)
        return kept.asked.id

    async def look(self, acting: Operator, request_id: str) -> RequestProgress:
        """Return how a request stands.

        Raises:
            NotFound: There is no such request.
            Forbidden: It is another team's than the lead's.
            Unavailable: Without Redis.
        """
        kept = None
        if ID.fullmatch(request_id):
            kept = await self._ports.requests.read(request_id)
        if kept is None:
            raise NotFound("There is no such request, or it is no longer kept")
        acting.answer_for(kept.asked.team)
        owner = Owner(kept.asked.kind, kept.asked.team, kept.asked.app)
        return await self._polls.look(owner, request_id) or RequestProgress(request=kept)

    async def _admitted(self, key: KeyRecord, asked: Asked) -> tuple[Caller, AdmittedRequest]:
        """Admit a request like one with the key's secret, but from any address."""
        _, now_s, directory = await self._ports.keys.key(key.id)
        caller = permit(key, directory, now_s)
        await pace(self._ports, caller)
        models = self._ports.models
        usual = next((name for name, each in models.items() if each.retires is None), "")
        spec, called = called_model(models, asked.model or usual, caller)
        sent = Sent(
            body=asked.body,
            content_type="application/json",
            headers=asked.headers,
            request_id=asked.request_id,
            called=called,
        )
        return caller, await admitted(self._ports, caller, spec, sent)
