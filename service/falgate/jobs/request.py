"""A request that is kept: asked once, answered later, by whichever instance is there then."""

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
"""The form of a request's id: what is not of it names no request, whoever asks."""

State = Literal["open", "done", "failed", "cancelled"]
"""open: its pictures are on their way. It ends once, and stays so until it is forgotten."""


class RequestSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asked, as it was taken; never changed after.

    Attributes:
        id: Ours, as the caller sees it.
        upstream: Who would sell it, and whose books it is in.
        kind: Of the key that asked.
        team: Whose app it is.
        app: Who may see it, and what becomes of it.
        key: Public id of the key that asked.
        endpoint: The model.
        fingerprint: Of the pool that serves it.
        arguments: For the model, every default spelt out; contains the prompt, is dropped when
            the request ends.
        inline: Whether its answer is to hold the pictures themselves.
        options: What its headers ask of fal.
        treatment: How the cache treats it.
        webhook: Who is to be told of its end; "": nobody.
        base_url: What URLs begin with that are told to them.
        prompt_sha256: Hex digest of the prompt.
        repeatable: Names what an equal request would find; "": nothing.
        ignored: Fields of its body that were left out, see `Parsed.ignored`.
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

    def __repr__(self) -> str:
        """Without the prompt."""
        return f"Asked({self.id})"


class Failure(Said, frozen=True):
    """How a request ended without pictures: with a result of this status, body and headers."""

    @property
    def error(self) -> str:
        """What fal's status and webhooks say of it."""
        return f"Invalid status code: {self.status}"


Outcome = Answer | Failure


class QueuedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A kept request as it was last read.

    Attributes:
        asked: What it asks for.
        state: See `State`.
        job: What brings its pictures; "" where none was needed.
        flight: What its job claims.
        leads: Whether the job was begun for it, and is charged to its app.
        pool: The pictures that were there already when that job was begun.
        began_ms: Redis time at which it was taken.
        ended_ms: Redis time of its end; 0 while it is open.
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
        """Whether nothing more will happen to it."""
        return self.state != "open"

    def brought(self) -> Answer:
        """Its pictures, once it has ended.

        Raises:
            UpstreamRefused: It has none: with what stands in their place.
        """
        if self.answer is None:
            assert self.failure is not None, "a request ends with pictures or without"
            raise UpstreamRefused(self.failure.status, self.failure.body, self.failure.headers)
        return self.answer

    def under(self, target: str) -> bool:
        """Whether a path to requests leads to it: fal looks at the owner and the alias only."""
        return target.split("/")[:2] == self.asked.endpoint.split("/")[:2]


CANCELLED = Failure(
    499,
    {"detail": "Request was cancelled by the client", "error_type": "client_cancelled"},
    {"X-Fal-Error-Type": "client_cancelled", "X-Fal-Needs-Retry": "0"},
)
"""fal's answer for a request that its caller took back."""


def rejection_of(rejected: InputRejected) -> Failure:
    """A refused input as it is kept: what is wrong with it, and of the input itself not much."""
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
    """A refusal as it is kept, for whoever asks for the result."""
    return Failure(refusal.status, refusal.body(), refusal.headers())
