"""fal's completion webhooks, which say what request a job became even if its submit had no reply.

Nothing else in them is believed. What the job delivered and what it costs is read from fal's queue,
as for any job.
"""

# fal signs the webhooks of all its customers with the same keys, so a valid signature alone does
# not show that a webhook is about our account. The header with the account's user id does. That id
# is set by the operator (`FALGATE_FAL_USER_ID`), or learnt from the first webhook about a request
# id that fal's queue had already told us.

import re
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from falgate.core.events import Anomaly, AnomalyKind, Facts
from falgate.jobs import callback_url
from falgate.jobs.ports import Jobs
from falgate.jobs.twins import exchanged

CallbackVerdict = Literal["bound", "unknown_address", "unsigned", "foreign"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_USER = re.compile(r"[!-~]{1,128}")


class Signatures(Protocol):
    """Verifies fal's signatures. Raises `Unavailable` while none of fal's keys can be read."""

    async def valid(self, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
        """Return whether fal has recently signed this delivery."""


class Accounts(Protocol):
    """The fal account of each upstream. Methods raise `Unavailable` without Redis."""

    async def user(self, upstream: str) -> str:
        """Return the user id that was learnt, or ""."""

    async def learn(self, upstream: str, user: str) -> None:
        """Store a user id, unless one is stored already."""


class FalCallbacks:
    """Receives fal's completion webhooks."""

    def __init__(
        self,
        jobs: Jobs,
        facts: Facts,
        signatures: Signatures,
        accounts: Accounts,
        *,
        secret: bytes,
        upstream: str,
        user: str = "",
    ) -> None:
        """Accept webhooks for jobs of one upstream.

        Args:
            jobs: The jobs.
            facts: Receives anomalies.
            signatures: Verifies fal's signatures.
            accounts: Keeps the user id that is learnt.
            secret: What the webhook addresses are made with.
            upstream: Name of the upstream.
            user: The fal account's user id; "" to learn it.
        """
        self._accounts = accounts
        self._user = user
        self._jobs = jobs
        self._facts = facts
        self._signatures = signatures
        self._secret = secret
        self._upstream = upstream

    def knows(self, token: str) -> bool:
        """Return whether an address is one of ours; it is cheap and therefore checked first."""
        return callback_url.job_of(token, self._secret) is not None

    async def deliver(self, token: str, headers: Mapping[str, str], body: bytes) -> CallbackVerdict:
        """Bind the request that a webhook is about to the job that its address names.

        Args:
            token: The last part of the address.
            headers: By lower-case name.
            body: The bytes as received, because those are signed.

        Raises:
            Unavailable: Without Redis or fal's keys; fal then sends the webhook again.
        """
        job_id = callback_url.job_of(token, self._secret)
        if job_id is None:
            return "unknown_address"
        now_ms = await self._jobs.now_ms()
        if not await self._signatures.valid(headers, body, now_ms // 1000):
            return "unsigned"
        user = headers.get("x-fal-webhook-user-id", "")
        ours = self._user or await self._accounts.user(self._upstream)
        if ours and user != ours:
            self._report(
                "stray_hook", job_id, "the webhook is signed for another fal account than ours"
            )
            return "foreign"
        request_id = _request_id(headers, body)
        job = await self._jobs.read(job_id)
        if job is None or job.order.upstream != self._upstream or request_id is None:
            self._report("stray_hook", job_id, "the webhook is about a job that is unknown here")
        elif not (
            await self._jobs.accept(job, request_id, lease_ms=0)
            or await exchanged(self._jobs, job, request_id)
        ):
            self._report("second_request_id", job_id, request_id)
        elif not ours and job.request_id == request_id and _USER.fullmatch(user):
            await self._accounts.learn(self._upstream, user)
        return "bound"

    def _report(self, what: AnomalyKind, job_id: str, detail: str) -> None:
        self._facts.anomaly(Anomaly(what=what, job=job_id, detail=detail))


def _request_id(headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the request's id in fal's queue: the payload's, or the header's if that has none."""
    try:
        payload: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        payload = None
    named = payload.get("request_id") if isinstance(payload, dict) else None
    found = named or headers.get("x-fal-webhook-request-id", "")
    return found if isinstance(found, str) and _REQUEST_ID.fullmatch(found) else None
