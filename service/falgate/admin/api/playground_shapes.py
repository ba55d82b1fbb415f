"""JSON representations of the playground: a request as an operator makes it, and how it stands."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from falgate.accounts.apikey import Kind
from falgate.admin.api.problems import FieldProblem, fields_of
from falgate.admin.api.shapes import instant_ms
from falgate.core.events import Source
from falgate.core.money import dollars
from falgate.core.picture import Picture
from falgate.http import responses
from falgate.http.quote import Quoted
from falgate.jobs.progress import RequestProgress
from falgate.jobs.request import Failure, QueuedRequest
from falgate.requests.playground import Asked

_LABEL = r"^[!-~]{0,64}$"

Step = Literal["waiting", "sending", "queued", "making", "storing", "done", "failed", "cancelled"]
"""waiting: for its turn, or for another request's purchase. queued: in fal's line."""


class PlayAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request, made for an app by an operator."""

    key: Annotated[str, Meta(max_length=100, description="Id of the key that pays")] = ""
    app: Annotated[
        str,
        Meta(
            max_length=200,
            examples=["web/shop"],
            description="Instead of a key: the first one of TEAM/APP that can be used",
        ),
    ] = ""
    kind: Annotated[Kind, Meta(description="Of the app's key")] = "live"
    model: Annotated[
        str,
        Meta(
            max_length=200,
            description="Endpoint or alias; empty: the first model that does not end",
        ),
    ] = ""
    request: Annotated[dict[str, Any], Meta(description="The body of the request")]
    cache_control: Annotated[
        Literal["", "no-cache", "no-store", "only-if-cached"],
        Meta(description="As the header: no-cache buys afresh, no-store keeps nothing of it"),
    ] = ""
    variation: Annotated[
        str, Meta(pattern=_LABEL, description="As X-Falgate-Variation: a pool of its own")
    ] = ""

    def __repr__(self) -> str:
        """Omit the prompt."""
        return "PlayAsked(...)"

    def asked(self, request_id: str) -> Asked:
        """Return it for the playground."""
        return Asked(
            key=self.key,
            app=self.app,
            kind=self.kind,
            model=self.model,
            body=msgspec.json.encode(self.request),
            cache_control=self.cache_control,
            variation=self.variation,
            request_id=request_id,
        )


class PlayQuoted(Quoted, frozen=True, kw_only=True):
    """What the request would cost now, and which key would pay."""

    key: str
    app: str


class PlayTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The request is stored, and what it needs is held or was there."""

    request_id: str
    key: str


class HeaderShown(msgspec.Struct, frozen=True):
    """A header of the answer that the app would get."""

    name: str
    value: str


class PlayedPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of the answer."""

    name: Annotated[str, Meta(description="Its file, at /pictures/NAME")]
    content_type: str
    width: int
    height: int
    size_bytes: int


class PlayError(msgspec.Struct, frozen=True, kw_only=True):
    """Why there are no pictures."""

    status: int
    error_type: str | None
    detail: str
    fields: Annotated[list[FieldProblem], Meta(description="What is wrong with the request")]


class PlayShown(msgspec.Struct, frozen=True, kw_only=True):
    """How a request stands, and its answer as its app would get it; never its prompt."""

    request_id: str
    team: str
    app: str
    key: str
    kind: Kind
    model: str
    called: Annotated[str | None, Meta(description="The name it was called by, if another")]
    ended: bool
    step: Annotated[Step, Meta(description="What is under way, or how it ended")]
    position: Annotated[int | None, Meta(description="How many are before it in the line")]
    began_at: str | None
    ended_at: str | None
    source: Annotated[Source | None, Meta(description="How it was served")]
    pictures: list[PlayedPicture]
    billed_usd: str | None
    saved_usd: str | None
    headers: Annotated[list[HeaderShown], Meta(description="Of the answer, once there is one")]
    error: PlayError | None


def shown(standing: RequestProgress, now_s: int) -> PlayShown:
    """Convert a request; `now_s` is Redis's time."""
    kept, asked = standing.request, standing.request.asked
    answer, failure = kept.answer, kept.failure
    step = step_of(standing)
    return PlayShown(
        request_id=asked.id,
        team=asked.team,
        app=asked.app,
        key=asked.key,
        kind=asked.kind,
        model=asked.endpoint,
        called=asked.called or None,
        ended=kept.ended,
        step=step,
        position=standing.ahead if step in {"waiting", "queued"} else None,
        began_at=instant_ms(kept.began_ms),
        ended_at=instant_ms(kept.ended_ms),
        source=answer.source if answer else None,
        pictures=[_picture(each) for each in answer.pictures] if answer else [],
        billed_usd=dollars(answer.billed) if answer else None,
        saved_usd=dollars(answer.saved) if answer else None,
        headers=[HeaderShown(*each) for each in _headers(kept, now_s).items()],
        error=_error(failure) if failure else None,
    )


def step_of(standing: RequestProgress) -> Step:
    """Return what is under way for a request, or how it ended."""
    state = standing.request.state
    if state != "open":
        return state
    match standing.job:
        case None | "reserved":
            return "waiting"
        case "submitting":
            return "sending"
        case "accepted":
            return "queued" if standing.phase == "IN_QUEUE" else "making"
    return "storing"


def _picture(picture: Picture) -> PlayedPicture:
    return PlayedPicture(
        name=picture.name,
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        size_bytes=picture.size_bytes,
    )


def _headers(kept: QueuedRequest, now_s: int) -> Mapping[str, str]:
    asked = kept.asked
    named = {"x-fal-request-id": asked.id}
    if kept.failure:
        return {**named, **kept.failure.headers}
    if kept.answer is None:
        return {}
    model = {"X-Falgate-Model": asked.endpoint} if asked.called else {}
    told = responses.headers(kept.answer, now_s)
    return {**named, **told, **responses.ignored(asked.ignored), **model}


def _error(failure: Failure) -> PlayError:
    detail = failure.body.get("detail") if isinstance(failure.body, dict) else None
    issues = fields_of(detail) if isinstance(detail, list) else []
    words = "; ".join(each.msg for each in issues) if issues else str(detail or failure.error)
    return PlayError(
        status=failure.status, error_type=failure.error_type, detail=words, fields=issues
    )
