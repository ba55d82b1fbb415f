"""fal's queue: submit, follow, fetch. The one place that knows fal's key.

Never `fal.run`: a submit to the queue answers within a second with an id, and whoever has the id
can finish the job, on any instance, for as long as fal keeps the result.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx

from falgate.core.faults import words
from falgate.fal import outcomes
from falgate.fal.connections import authorities, client, sockets
from falgate.fal.download import MediaHosts, download
from falgate.fal.http import ExchangeFailed, Reply, Unusable, encode, exchange
from falgate.fal.options import Priority
from falgate.fal.progress import Tell
from falgate.fal.replies import Delivered, Failed, Lost, Rejected, Result, Submission, Unsent
from falgate.fal.reporter import ProgressReporter
from falgate.fal.stream import completed
from falgate.models.spec import ModelSpec

FAL_MEDIA = ("fal.media",)

_SUBMIT_S = 30.0
_LOOK_S = 30.0
_FOLLOW_S_MAX = 3_600.0
"""fal ends a request after as long, unless its model says otherwise."""
_ANSWER_BYTES_MAX = 1024 * 1024
_QUEUED_PAUSES_S = (0.1, 2.0)
_TROUBLED_PAUSE_S = 1.0
_STRANGE_LOOKS_MAX = 3
_STREAMS_MAX = 32
_LOOKS_MAX = 64
"""Connections, with those of the streams."""

_REFUSED_US = frozenset({401, 402, 403, 404, 407, 429})
"""Of our key, our credit, our pace, or an application that is not there."""
_SERVER_ERROR = 500
_KEEP_RESULT_S = 48 * 3600
_BUYING = {
    # At most one billable run for one submit.
    "X-Fal-No-Retry": "1",
    # Else another model's picture may come, and would be kept under this one's name.
    "x-app-fal-disable-fallback": "true",
    "X-Fal-Object-Lifecycle-Preference": f'{{"expiration_duration_seconds":{_KEEP_RESULT_S}}}',
}


class FalQueue:
    """One upstream that speaks fal's queue protocol."""

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
    ) -> None:
        """Speak to the queue at `url` as `key`.

        Args:
            name: Whose books these are.
            url: What stands before the endpoint's path.
            key: fal's credential, `id:secret`.
            media_domains: Where pictures may come from beside the queue's own origin.
            start_timeout_s: After so long in fal's queue, fal gives a request up.
            hook: Where fal shall say that a job has ended, by the job's id; None: nowhere.
            troubled: Given the words of an error when fal cannot be reached, and fal's own when
                it refuses what is no caller's fault.
            transport: In the place of sockets, for the sandbox in this process.
        """
        self._name = name
        self._troubled = troubled
        self._url = url.rstrip("/")
        self._key = key
        self._buying = {**_BUYING, "X-Fal-Request-Timeout": str(start_timeout_s)}
        self._hook = hook
        self._media = MediaHosts(self._url, media_domains)
        self._streams = asyncio.Semaphore(_STREAMS_MAX)
        connect = partial(sockets, authorities())
        # A submit goes over a connection of its own: one kept alive may be half closed, and a
        # request that dies on it has an unknown outcome.
        self._submits = client(transport or connect(self._url, fresh=True))
        self._looks = client(transport or connect(self._url, connections_max=_LOOKS_MAX))
        delivery = f"https://{media_domains[0]}" if media_domains else self._url
        self._fetches = client(transport or connect(delivery))

    @property
    def name(self) -> str:
        """Whose books these are."""
        return self._name

    def __repr__(self) -> str:
        """Name it without its key."""
        return f"FalQueue({self._name})"

    async def close(self) -> None:
        """Let go of the connections."""
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
        """Order; exactly one attempt, or provably none. Never raises."""
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
        except Exception as error:  # noqa: BLE001 - whatever it was, it was before anything left
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
        """Follow an accepted request to its end, and tell how far it is. Never raises."""
        request = self._request(spec.endpoint, request_id)
        try:
            async with asyncio.timeout(_FOLLOW_S_MAX):
                status = await self._completed(request, ProgressReporter(tell))
                result = status and await self._result(request, status)
        except TimeoutError:
            return Lost("fal did not finish in time")
        return result or Lost("fal's answers about this request make no sense")

    async def cancel(self, endpoint: str, request_id: str) -> None:
        """Ask fal to give a request up. Never raises: how it ends is told by `collect`."""
        url = f"{self._request(endpoint, request_id)}/cancel"
        with suppress(ExchangeFailed, Unusable):
            await exchange(
                self._looks,
                "PUT",
                url,
                deadline_s=_LOOK_S,
                bytes_max=_ANSWER_BYTES_MAX,
                headers=self._headers(),
            )

    def may_fetch(self, url: str) -> bool:
        """Whether a URL is of a host that delivers its pictures."""
        return self._media.allow(url)

    async def download(self, url: str) -> bytes:
        """Fetch a delivered picture; raises `DownloadFailed`."""
        return await download(self._fetches, self._media, url)

    def _request(self, endpoint: str, request_id: str) -> str:
        """Where a request lives, whatever the rest of its endpoint."""
        owner, alias = endpoint.split("/")[:2]
        return f"{self._url}/{owner}/{alias}/requests/{request_id}"

    async def _completed(self, request: str, teller: ProgressReporter) -> dict[str, Any] | None:
        """Follow a request to the status that says COMPLETED; None when fal makes no sense."""
        strange, (pause_s, longest_s) = 0, _QUEUED_PAUSES_S
        while strange < _STRANGE_LOOKS_MAX:
            try:
                reply = await self._look(f"{request}/status?logs=1")
                status = outcomes.of_status(reply) if reply else None
            except Unusable:
                status, strange = None, strange + 1
            if status is None:
                await asyncio.sleep(_TROUBLED_PAUSE_S)
                continue
            strange = 0
            await teller.tell(status)
            if status["status"] == "IN_PROGRESS" and not self._streams.locked():
                async with self._streams:
                    stream = f"{request}/status/stream?logs=1"
                    status = await completed(self._looks, stream, self._headers(), teller) or status
            if status["status"] == "COMPLETED":
                return status
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, longest_s)
        return None

    async def _result(self, request: str, status: dict[str, Any]) -> Delivered | Failed | None:
        """Read how a completed request has ended; None when fal makes no sense."""
        strange = 0
        while strange < _STRANGE_LOOKS_MAX:
            try:
                # Perhaps the model's own words: these are for who asked for the pictures.
                reply = await self._look(request, quotes=True)
                result = outcomes.of_result(reply, status) if reply else None
            except Unusable:
                result, strange = None, strange + 1
            if result:
                return result
            await asyncio.sleep(_TROUBLED_PAUSE_S)
        return None

    async def _look(self, url: str, *, quotes: bool = False) -> Reply | None:
        """Read something of a request's; None when fal cannot be reached now.

        Args:
            url: Of what.
            quotes: Whether it may quote the prompt, and is not for operators.

        Raises:
            Unusable: The answer is too large or compressed.
        """
        try:
            reply = await exchange(
                self._looks,
                "GET",
                url,
                deadline_s=_LOOK_S,
                bytes_max=_ANSWER_BYTES_MAX,
                headers=self._headers(),
            )
        except ExchangeFailed as error:
            self._troubled(str(error))
            return None
        if reply.status in _REFUSED_US or reply.status >= _SERVER_ERROR:
            plain = Reply(reply.status, reply.headers, b"") if quotes else reply
            self._troubled(outcomes.said(plain, " to a look at a request", self._hidden({})))
        return reply

    def _hidden(self, body: Mapping[str, Any]) -> list[str]:
        """What no word of fal's may tell on: the key, and the texts of an order."""
        texts = [each for each in body.values() if isinstance(each, str)]
        return [*self._key.split(":"), *texts]

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Key {self._key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
