"""Completion hooks: fal tells which request a job became, even where its answer was lost.

Only that is believed, and only for the account of fal's that the jobs belong to: fal signs hooks of
other accounts with the same keys. The account's user id is set by the operator, or learnt from the
first hook about a request whose id fal's queue had answered before. What the job delivered and what
it cost is read from fal's queue, as ever.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from falgate.core.events import Anomaly, Doubt, Facts
from falgate.jobs import callback_url
from falgate.jobs.ports import Jobs
from falgate.jobs.twins import exchanged

CallbackVerdict = Literal["bound", "unknown_address", "unsigned", "foreign"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_USER = re.compile(r"[!-~]{1,128}")


class Signatures(Protocol):
    """Whether fal has signed something. `Unavailable` while none of its keys can be read."""

    async def valid(self, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
        """Whether it has signed this delivery, lately."""


class Accounts(Protocol):
    """Whose account an upstream's jobs are of. Without Redis: `Unavailable`."""

    async def user(self, upstream: str) -> str:
        """The user id that was learnt; "" while there is none."""

    async def learn(self, upstream: str, user: str) -> None:
        """Keep the first one."""


class FalCallbacks:
    """Takes the deliveries of fal's completion hooks."""

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
        """Believe addresses made with `secret`, for jobs of `upstream`, of `user` if set."""
        self._accounts = accounts
        self._user = user
        self._jobs = jobs
        self._facts = facts
        self._signatures = signatures
        self._secret = secret
        self._upstream = upstream

    def knows(self, token: str) -> bool:
        """Whether an address is one of ours: asked first, it costs next to nothing."""
        return callback_url.job_of(token, self._secret) is not None

    async def deliver(self, token: str, headers: Mapping[str, str], body: bytes) -> CallbackVerdict:
        """Bind the request that a delivery is about to the job that its address names.

        Args:
            token: The last part of the address.
            headers: By lower-case name.
            body: As it came, because that is what is signed.

        Raises:
            Unavailable: Without Redis or fal's keys; fal sends it again.
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
            self._doubt("stray_hook", job_id, "fal signed it for another account than ours")
            return "foreign"
        request_id = _request_id(headers, body)
        job = await self._jobs.read(job_id)
        if job is None or job.order.upstream != self._upstream or request_id is None:
            self._doubt("stray_hook", job_id, "fal speaks of a job that is not known here")
        elif not (
            await self._jobs.accept(job, request_id, lease_ms=0)
            or await exchanged(self._jobs, job, request_id)
        ):
            self._doubt("second_request_id", job_id, request_id)
        elif not ours and job.request_id == request_id and _USER.fullmatch(user):
            await self._accounts.learn(self._upstream, user)
        return "bound"

    def _doubt(self, what: Doubt, job_id: str, detail: str) -> None:
        self._facts.doubted(Anomaly(what=what, job=job_id, detail=detail))


def _request_id(headers: Mapping[str, str], body: bytes) -> str | None:
    """The queue's id of the request: the payload has it, and the header where that is no JSON."""
    try:
        payload: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        payload = None
    named = payload.get("request_id") if isinstance(payload, dict) else None
    found = named or headers.get("x-fal-webhook-request-id", "")
    return found if isinstance(found, str) and _REQUEST_ID.fullmatch(found) else None
