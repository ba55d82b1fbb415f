"""Client for fal's queue: submit, follow and fetch. The only code that knows fal's key.

`fal.run` is never used: a submit to the queue returns an id within a second, and any instance that
knows the id can finish the job for as long as fal keeps the result.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx

from falgate.core.faults import words
from falgate.fal import outcomes
from falgate.fal.connections import InProcess, Sender, Sockets, authorities
from falgate.fal.download import MediaHosts, download
from falgate.fal.http import ExchangeFailed, Reply, Unusable, encode, exchange
from falgate.fal.options import Priority
from falgate.fal.progress import ProgressReporter, Tell
from falgate.fal.replies import Delivered, Failed, Lost, Rejected, Result, Submission, Unsent
from falgate.fal.stream import completed
from falgate.models.spec import ModelSpec

T = TypeVar("T")

FAL_MEDIA = ("fal.media",)

_SUBMIT_S = 30.0
_LOOK_S = 30.0
_FOLLOW_S_MAX = 3_600.0
"""fal ends a request after this time, unless its model has another limit."""
_ANSWER_BYTES_MAX = 1024 * 1024
_QUEUED_PAUSES_S = (0.1, 2.0)
_TROUBLED_PAUSE_S = 1.0
_STRANGE_LOOKS_MAX = 3
_STREAMS_MAX = 32
_LOOKS_MAX = 64
"""Connections, including those of the status streams."""
_LOOKS_MIN = 4
"""Of each process, however many share them."""

_REFUSED_US = frozenset({401, 402, 403, 404, 407, 429})
"""Refusals of our key, our balance, our rate, our proxy, or an application that does not exist."""
_SERVER_ERROR = 500
_KEEP_RESULT_S = 48 * 3600
_BUYING = {
    # At most one billable run per submit.
    "X-Fal-No-Retry": "1",
    # Otherwise another model may make the picture, which would be cached under this one's name.
    "x-app-fal-disable-fallback": "true",
    "X-Fal-Object-Lifecycle-Preference": f'{{"expiration_duration_seconds":{_KEEP_RESULT_S}}}',
}


class FalQueue:
    """An upstream that speaks fal's queue protocol.

    Attributes:
        name: Name of the upstream whose ledger is charged.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key: str,
        media_domains: tuple[str, ...] = (),
        start_timeout_s: int = 600,
        hook: Callable[[str], str | None] | None = None,
        troubled: Callable[[str], None] = lambda _: None,
        transport: httpx.AsyncBaseTransport | None = None,
        workers: int = 1,
    ) -> None:
        """Connect to the queue at `url` with the credential `key`.

        Args:
            name: Name of the upstream whose ledger is charged.
            url: Base URL, before the endpoint's path.
            key: fal's credential, `id:secret`.
            media_domains: Where pictures may be fetched from, besides the queue's own origin.
            start_timeout_s: fal drops a request that waited this many seconds in its queue.
            hook: Maps a job's id to the URL of its completion webhook, or to None.
            troubled: Called with an error's message when fal cannot be reached, and with fal's own
                when fal refuses for a reason that is not the caller's fault.
            transport: Replaces sockets, for the sandbox in this process.
            workers: How many processes share the bounds on streams and connections.
        """
        self.name = name
        self._troubled = troubled
        self._url = url.rstrip("/")
        self._key = key
        self._buying = {**_BUYING, "X-Fal-Request-Timeout": str(start_timeout_s)}
        self._hook = hook
        self._media = MediaHosts(self._url, media_domains)
        self._streams = asyncio.Semaphore(max(1, _STREAMS_MAX // workers))
        delivery = f"https://{media_domains[0]}" if media_domains else self._url
        self._submits: Sender
        self._looks: Sender
        self._fetches: Sender
        if transport is not None:
            self._submits = self._looks = self._fetches = InProcess(transport)
        else:
            connect = partial(Sockets, authorities())
            # Each submit uses a new connection: one kept alive may be half closed, and the outcome
            # of a request that fails on it would be unknown.
            self._submits = connect(self._url, fresh=True)
            looks = max(_LOOKS_MIN, _LOOKS_MAX // workers)
            self._looks = connect(self._url, connections_max=looks)
            self._fetches = connect(delivery)

    def __repr__(self) -> str:
        """Omit the key."""
        return f"FalQueue({self.name})"

    async def close(self) -> None:
        """Close all connections."""
        for each in (self._submits, self._looks, self._fetches):
            await each.aclose()

    async def submit(
        self,
        endpoint: str,
        body: dict[str, Any],
        job_id: str,
        *,
        start_within_s: float = 0,
        priority: Priority = "normal",
        passed: Mapping[str, str] | None = None,
    ) -> Submission:
        """Submit a request in exactly one attempt. Never raises.

        `Unsent` is returned only if provably nothing left.
        """
        try:
            content = encode(body)
            headers = {
                **self._headers(),
                **self._buying,
                **(passed or {}),
                "X-Fal-Queue-Priority": priority,
            }
            if start_within_s:
                headers["X-Fal-Request-Timeout"] = f"{start_within_s:.3f}"
            hook = self._hook(job_id) if self._hook else None
            told = "?" + urlencode({"fal_webhook": hook}) if hook else ""
        except Exception as error:  # noqa: BLE001 - whatever failed, nothing has left yet
            return Unsent(words(error))
        try:
            reply = await exchange(
                self._submits,
                "POST",
                f"{self._url}/{endpoint}{told}",
                deadline_s=_SUBMIT_S,
                bytes_max=_ANSWER_BYTES_MAX,
                headers=headers,
                content=content,
            )
        except (ExchangeFailed, Unusable) as error:
            submission: Submission = outcomes.of_failure(error)
        else:
            submission = outcomes.of_submit(reply, self._hidden(body))
        if isinstance(submission, Unsent | Lost):
            self._troubled(submission.why)
        elif isinstance(submission, Rejected) and submission.answer.status in _REFUSED_US:
            self._troubled(submission.said)
        return submission

    async def collect(self, spec: ModelSpec, request_id: str, tell: Tell | None = None) -> Result:
        """Follow an accepted request to its end and report its progress. Never raises."""
        request = self._request(spec.endpoint, request_id)
        reporter = ProgressReporter(tell)
        result: Delivered | Failed | None = None
        try:
            async with asyncio.timeout(_FOLLOW_S_MAX):
                if status := await self._completed(request, reporter):
                    async with asyncio.TaskGroup() as beside:
                        beside.create_task(reporter.tell(status))
                        result = await self._result(request, status)
        except TimeoutError:
            return Lost("fal did not finish in time")
        return result or Lost("fal's answers about this request are invalid")

    async def cancel(self, endpoint: str, request_id: str) -> None:
        """Ask fal to cancel a request. Never raises; `collect` returns how the request ended."""
        url = f"{self._request(endpoint, request_id)}/cancel"
        with suppress(ExchangeFailed, Unusable):
            await self._exchange("PUT", url)

    def may_fetch(self, url: str) -> bool:
        """Return whether a URL belongs to a host that delivers fal's pictures."""
        return self._media.allow(url)

    async def download(self, url: str) -> bytes:
        """Fetch a delivered picture; raises `DownloadFailed`."""
        return await download(self._fetches, self._media, url)

    def _request(self, endpoint: str, request_id: str) -> str:
        """Return the URL of a request, which contains only the first two parts of its endpoint."""
        owner, alias = endpoint.split("/")[:2]
        return f"{self._url}/{owner}/{alias}/requests/{request_id}"

    async def _completed(self, request: str, reporter: ProgressReporter) -> dict[str, Any] | None:
        """Report a request's progress until its status is COMPLETED, and return that one.

        None if fal keeps sending invalid answers.
        """
        pause_s, longest_s = _QUEUED_PAUSES_S
        while status := await self._valid(f"{request}/status?logs=1", outcomes.of_status):
            if status["status"] == "COMPLETED":
                return status
            await reporter.tell(status)
            if status["status"] == "IN_PROGRESS" and not self._streams.locked():
                async with self._streams:
                    stream = f"{request}/status/stream?logs=1"
                    ended = await completed(self._looks, stream, self._headers(), reporter)
                if ended is not None:
                    return ended
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, longest_s)
        return None

    async def _result(self, request: str, status: dict[str, Any]) -> Delivered | Failed | None:
        """Read how a completed request ended; None if fal keeps sending invalid answers."""
        # These may be the model's own words, which only the caller may see.
        return await self._valid(
            request, lambda reply: outcomes.of_result(reply, status), quotes=True
        )

    async def _valid(
        self, url: str, read: Callable[[Reply], T | None], *, quotes: bool = False
    ) -> T | None:
        """Look until fal gives an answer that counts; None if it keeps sending invalid ones.

        Args:
            url: URL of the resource.
            read: Reads an answer; None if it is a temporary failure. Raises `Unusable`.
            quotes: As in `_look`.
        """
        strange = 0
        while strange < _STRANGE_LOOKS_MAX:
            try:
                reply = await self._look(url, quotes=quotes)
                found = read(reply) if reply else None
            except Unusable:
                found, strange = None, strange + 1
            if found is not None:
                return found
            await asyncio.sleep(_TROUBLED_PAUSE_S)
        return None

    async def _look(self, url: str, *, quotes: bool = False) -> Reply | None:
        """Read one of a request's resources; None if fal cannot be reached now.

        Args:
            url: URL of the resource.
            quotes: Whether the answer may quote the prompt, and must be kept from operators.

        Raises:
            Unusable: The answer is too large or compressed.
        """
        try:
            reply = await self._exchange("GET", url)
        except ExchangeFailed as error:
            self._troubled(str(error))
            return None
        if reply.status in _REFUSED_US or reply.status >= _SERVER_ERROR:
            plain = Reply(reply.status, reply.headers, b"") if quotes else reply
            self._troubled(outcomes.said(plain, " to a look at a request", self._hidden({})))
        return reply

    async def _exchange(self, method: str, url: str) -> Reply:
        return await exchange(
            self._looks,
            method,
            url,
            deadline_s=_LOOK_S,
            bytes_max=_ANSWER_BYTES_MAX,
            headers=self._headers(),
        )

    def _hidden(self, body: Mapping[str, Any]) -> list[str]:
        """Return the texts to remove from fal's messages: the key, and the strings of a request."""
        values = [v for each in body.values() for v in (each if isinstance(each, list) else [each])]
        texts = [each for each in values if isinstance(each, str)]
        return [*self._key.split(":"), *texts]

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Key {self._key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
