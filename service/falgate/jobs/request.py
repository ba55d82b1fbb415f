"""Queued requests: stored when they are submitted, and answered later by any instance."""

import re
from typing import Any, Literal

import msgspec

from falgate.accounts.apikey import Kind
from falgate.cache.policy import EffectivePolicy
from falgate.core.bounds import PROBLEMS_KEPT_MAX, QUOTATION_KEPT_MAX
from falgate.core.errors import InputRejected, Refusal, UpstreamRefused
from falgate.core.picture import Picture
from falgate.fal.options import FalOptions
from falgate.fal.replies import FalAnswer as Said
from falgate.jobs.answer import Answer

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The form of a request's id; nothing else can be one."""

State = Literal["open", "done", "failed", "cancelled"]
"""open: waits for its pictures. A request ends once, and its end is stored until it is deleted."""


class RequestSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asked for; never changed after it was stored.

    Attributes:
        id: Our id of the request, as the caller sees it.
        upstream: Name of the upstream that would sell it; each has its own ledger.
        kind: Kind of the key that asked.
        team: The team of the app.
        app: The app, whose keys alone may see the request.
        key: Public id of the key that asked.
        endpoint: The model.
        called: The name under which it was called, if that is another one; see `AdmittedRequest`.
        fingerprint: Of the pool that serves it.
        arguments: For the model, including all defaults. They contain the prompt and are deleted
            when the request ends.
        inline: Whether its answer has the pictures' bytes instead of URLs.
        options: fal's request options, from the headers.
        treatment: The effective cache policy.
        webhook: URL to which its end is reported, or "".
        base_url: What picture URLs in the webhook begin with.
        prompt_sha256: Hex digest of the prompt.
        repeatable: Name by which an equal request finds this one, or "".
        ignored: The body's fields that were left out, see `Parsed.ignored`.
    """

    id: str
    upstream: str
    kind: Kind
    team: str
    app: str
    key: str
    endpoint: str
    fingerprint: str
    arguments: dict[str, Any]
    inline: bool = False
    options: FalOptions = FalOptions()
    treatment: EffectivePolicy = EffectivePolicy(scope="organisation")
    webhook: str = ""
    base_url: str = ""
    prompt_sha256: str = ""
    repeatable: str = ""
    ignored: str = ""
    called: str = ""

    def __repr__(self) -> str:
        """Leave out the prompt."""
        return f"Asked({self.id})"


class Failure(Said, frozen=True):
    """The end of a request without pictures: the status, body and headers of its result."""

    @property
    def error(self) -> str:
        """Return the words for it in fal's statuses and webhooks."""
        return f"Invalid status code: {self.status}"


Outcome = Answer | Failure


class QueuedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A queued request as it was last read.

    Attributes:
        asked: What it asks for.
        state: See `State`.
        job: Id of the job that brings its pictures; "" if none was needed.
        flight: Flight of that job.
        leads: Whether the job was begun for it, and is charged to its app.
        pool: The pictures that the pool had when that job was begun.
        began_ms: Redis's time at which it was stored.
        ended_ms: Redis's time of its end; 0 while it is open.
        answer: Its pictures.
        failure: Why there are none.
    """

    asked: RequestSpec
    state: State
    began_ms: int
    job: str = ""
    flight: str = ""
    leads: bool = False
    pool: tuple[Picture, ...] = ()
    ended_ms: int = 0
    answer: Answer | None = None
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        """Return whether it has ended."""
        return self.state != "open"

    def result(self) -> Answer:
        """Return its pictures; only for a request that has ended.

        Raises:
            UpstreamRefused: It has none; has the status, body and headers to answer instead.
        """
        if self.answer is None:
            assert self.failure is not None, "a request ends with pictures or without"
            raise UpstreamRefused(self.failure.status, self.failure.body, self.failure.headers)
        return self.answer

    def under(self, target: str) -> bool:
        """Return whether a path leads to it: like fal, compares only the owner and the alias."""
        called = self.asked.called or self.asked.endpoint
        return target.split("/")[:2] == called.split("/")[:2]


CANCELLED = Failure(
    499,
    {"detail": "Request was cancelled by the client", "error_type": "client_cancelled"},
    {"X-Fal-Error-Type": "client_cancelled", "X-Fal-Needs-Retry": "0"},
)
"""fal's answer for a request that its caller cancelled."""


def rejection_of(rejected: InputRejected) -> Failure:
    """Return a rejected input as it is stored: the problems, quoting the input only in part."""
    issues = rejected.issues[:PROBLEMS_KEPT_MAX]
    cut = [{name: _cut(value) for name, value in each.items()} for each in issues]
    return failure_of(InputRejected(cut))


def _cut(value: Any) -> Any:
    encoded = msgspec.json.encode(value)
    if len(encoded) <= QUOTATION_KEPT_MAX:
        return value
    text = value if isinstance(value, str) else encoded.decode()
    return f"{text[:QUOTATION_KEPT_MAX]}..."


def failure_of(refusal: Refusal) -> Failure:
    """Return an error as it is stored for callers that ask for the result later."""
    return Failure(refusal.status, refusal.body(), refusal.headers())
