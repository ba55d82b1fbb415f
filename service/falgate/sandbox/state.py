"""The sandbox's state, and the submit steps shared by the queue and the synchronous route."""

import asyncio
import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request
from litestar.types import ASGIApp

from falgate.core.errors import InputRejected
from falgate.fal.http import decoded
from falgate.fal.paths import Route
from falgate.models.arguments import read
from falgate.models.spec import ModelSpec
from falgate.sandbox import refusals
from falgate.sandbox.answer import Answer, said
from falgate.sandbox.behaviour import Behaviour, Configuration, Place
from falgate.sandbox.books import Visits
from falgate.sandbox.faults import spoilt
from falgate.sandbox.hooks import Hooks
from falgate.sandbox.record import Record, life, new_id, start_within_s, wait_s
from falgate.sandbox.records import Records
from falgate.sandbox.uploads import UploadedFiles, look

_KEY = re.compile(r"Key ([^\s:]+):([^\s:]+)")
_NOTED = (
    "x-fal-no-retry",
    "x-app-fal-disable-fallback",
    "x-fal-request-timeout",
    "x-fal-request-start-timeout",
    "x-fal-object-lifecycle-preference",
    "x-fal-queue-priority",
    "x-fal-runner-hint",
    "x-fal-store-io",
    "x-fal-target-url",
    "accept-encoding",
    "content-type",
    "user-agent",
    "idempotency-key",
)


class Refused(Exception):
    """Ends a request with this response."""

    def __init__(self, answer: ASGIApp) -> None:
        super().__init__("refused")
        self.answer = answer


class SandboxState:
    """The state of a sandbox.

    Attributes:
        models: The known endpoints.
        records: All submits.
        configuration: The behaviour in force.
        visits: Request counts per route.
        hooks: Sends completion callbacks.
        fixed_url: Base of the URLs in responses; None to use the address of each request.
        files: What was uploaded.
    """

    def __init__(
        self,
        models: Mapping[str, ModelSpec],
        records: Records,
        configuration: Configuration,
        hooks: Hooks,
        *,
        fixed_url: str | None,
        files: UploadedFiles,
    ) -> None:
        self.models = models
        self.records = records
        self.configuration = configuration
        self.visits = Visits()
        self.hooks = hooks
        self.fixed_url = fixed_url
        self.files = files

    def base_url(self, request: Request[Any, Any, Any]) -> str:
        """Return the base of URLs in a response, without a trailing slash."""
        if self.fixed_url is not None:
            return self.fixed_url.rstrip("/")
        return f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"

    def authenticate(self, request: Request[Any, Any, Any]) -> None:
        """Require a key in fal's format.

        Raises:
            Refused: With fal's 401.
        """
        key = _KEY.fullmatch(request.headers.get("authorization", ""))
        key_id = self.configuration.current.key_id
        if key is None:
            raise Refused(refusals.platform(401, new_id(time.time()), refusals.MALFORMED))
        if key_id is not None and key[1] != key_id:
            raise Refused(refusals.platform(401, new_id(time.time()), refusals.UNKNOWN))

    def spoil(self, answer: Answer, record: Record, place: Place, base_url: str) -> ASGIApp:
        """Return the response, damaged if a fault is due at this place."""
        if self.visits.fault_due(record, place):
            return spoilt(answer, record.behaviour, place, base_url)
        return answer

    async def accept(self, request: Request[Any, Any, Any], route: Route) -> Record:
        """Store a submit.

        Raises:
            Refused: It was not accepted. It is recorded nevertheless.
        """
        now_s = time.time()
        behaviour = self.configuration.take()
        record = _noted(request, route, await request.body(), behaviour, now_s)
        try:
            self._admit(request, route, record)
        except Refused:
            self.records.put(record)
            raise
        record = await self._judged(request, record)
        self.records.put(record)
        return record

    def end_work(self, now_s: float) -> int:
        """End the work of all open requests now; return how many.

        For tests that examine a request in progress and then let it end. A fixed working time would
        be too short on a busy machine, or a waste of time on any other.
        """
        going_on = [
            record
            for record in self.records.all()
            if record.accepted and life(record).status(now_s) != "COMPLETED"
        ]
        for record in going_on:
            self.records.put(msgspec.structs.replace(record, ended_s=now_s))
        return len(going_on)

    def _admit(self, request: Request[Any, Any, Any], route: Route, record: Record) -> None:
        self.authenticate(request)
        self._known(route, record)
        behaviour = record.behaviour
        if self.visits.fault_due(record, "submit"):
            whole = said(200, {"status": "IN_QUEUE"}, record.id)
            raise Refused(spoilt(whole, behaviour, "submit", self.base_url(request)))
        if record.sync and self._turn_s(record) > behaviour.queue_s:
            raise Refused(refusals.platform(429, record.id))

    async def _judged(self, request: Request[Any, Any, Any], record: Record) -> Record:
        spec = self.models[record.endpoint]
        accepted = msgspec.structs.replace(record, accepted=True, wait_s=self._turn_s(record))
        try:
            parsed = read(spec, await request.body(), request.headers.get("content-type"))
            # At fal, too, a request is accepted before its input files are read.
            seen = await asyncio.to_thread(look, self.files, spec, parsed.arguments)
        except InputRejected as rejection:
            return msgspec.structs.replace(accepted, issues=rejection.issues)
        arguments = msgspec.to_builtins(seen.arguments)
        subject = {name: value for name, value in arguments.items() if name not in spec.unkeyed}
        digest = hashlib.sha256(msgspec.json.encode([record.endpoint, subject])).hexdigest()
        earlier = self.records.tally(digest, spec.asked(parsed.arguments))
        return msgspec.structs.replace(
            accepted, arguments=arguments, earlier=earlier, thumbnails=seen.thumbnails
        )

    def _turn_s(self, record: Record) -> float:
        # Reading all records is expensive, and only needed to limit concurrency.
        others = [] if record.behaviour.concurrency is None else self.records.all()
        return wait_s(record.behaviour, others, record.submitted_s)

    def _known(self, route: Route, record: Record) -> None:
        if route.target in self.models:
            return
        if any(f"{endpoint}/".startswith(f"{route.app}/") for endpoint in self.models):
            path = route.target.removeprefix(route.app)
            answer = refusals.platform(404, record.id, f"Path {path} not found")
            headers = {**answer.headers, "x-fal-billable-units": "0"}
            raise Refused(msgspec.structs.replace(answer, headers=headers))
        missing = f'Application "{route.alias}" not found'
        raise Refused(refusals.platform(404, record.id, missing))


def _noted(
    request: Request[Any, Any, Any], route: Route, body: bytes, behaviour: Behaviour, now_s: float
) -> Record:
    headers = {name: request.headers[name] for name in _NOTED if name in request.headers}
    if "authorization" in request.headers:
        headers["authorization"] = request.headers["authorization"].partition(" ")[0]
    return Record(
        id=new_id(now_s),
        endpoint=route.target,
        submitted_s=now_s,
        accepted=False,
        sync=route.service == "run",
        received=decoded(body),
        headers=headers,
        behaviour=behaviour,
        webhook=request.query_params.get("fal_webhook"),
        start_within_s=start_within_s(headers),
    )
