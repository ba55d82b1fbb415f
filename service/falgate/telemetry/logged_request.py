"""What the log keeps of a request: who asked, what came of it and what it cost; never a prompt."""

from collections.abc import Mapping
from typing import Literal, Self

import msgspec

from falgate.core.events import Answered, Refused, Source
from falgate.core.money import Micros

LogKind = Literal["hits", "bought", "refused"]
"""The three logs of a team, so that many hits do not drive out what cost money or was refused."""

Outcome = Source | Literal["refused"]

_HITS = frozenset({"hit", "derived"})
_LED = frozenset({"miss", "partial", "bypass"})
_OK = 200


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A request, or several equal ones of which one is shown.

    Stored as an array: the id is the first field, and new fields come last, with defaults.

    Attributes:
        id: Of the one that is shown, like the times.
        at_ms: When it was answered, by its instance's clock, in ms since 1970.
        outcome: How it was answered, or "refused".
        route: One of a closed set.
        status: Of its response; for a queued request that of its result.
        team: Of its key, like `app` and `key` (the public id); "" if unknown, or of several.
        model: Its endpoint, or "".
        upstream: Name of the upstream, or "".
        number: How many requests this stands for.
        pictures: That all of them got.
        bought: That were bought for them.
        billed: What their budgets were charged, in micro-USD.
        saved: List price of the pictures that were not bought for them, in micro-USD.
        took_ms: Total duration.
        waited_ms: Of that, spent waiting for a job.
        job: Id of the job that it waited for, or "".
        fingerprint: Of the pool that its pictures are from, or "".
        reason: Why it was refused, see `core.refused.Reason`, or "".
        error_type: fal's machine-readable code, or "".
        about: Which budget, limit or stop refused.
        leads: Whether its job was begun for it.
    """

    id: str
    at_ms: int
    outcome: Outcome
    route: str
    status: int
    team: str
    app: str
    key: str
    model: str
    upstream: str
    number: int = 1
    pictures: int = 0
    bought: int = 0
    billed: Micros = 0
    saved: Micros = 0
    took_ms: float = 0
    waited_ms: float = 0
    job: str = ""
    fingerprint: str = ""
    reason: str = ""
    error_type: str = ""
    about: dict[str, str] = {}
    leads: bool = False

    @classmethod
    def answered(cls, event: Answered, at_ms: int, number: int = 1) -> Self:
        """Log an answer, or a number of equal ones."""
        return cls(
            id=event.request_id,
            at_ms=at_ms,
            outcome=event.source,
            route=event.route,
            status=_OK,
            team=event.team,
            app=event.app,
            key=event.key,
            model=event.model,
            upstream=event.upstream,
            number=number,
            pictures=event.pictures * number,
            bought=(event.pictures - event.reused) * number,
            billed=event.billed * number,
            saved=event.saved * number,
            took_ms=_ms(event.took_s),
            waited_ms=_ms(event.waited_s),
            job=event.job,
            fingerprint=event.fingerprint,
            leads=event.source in _LED,
        )

    @classmethod
    def refused(cls, event: Refused, at_ms: int) -> Self:
        """Log a refusal."""
        return cls(
            id=event.request_id,
            at_ms=at_ms,
            outcome="refused",
            route=event.route,
            status=event.status,
            team=event.team,
            app=event.app,
            key=event.key,
            model=event.model,
            upstream=event.upstream,
            billed=event.charged,
            took_ms=_ms(event.took_s),
            job=event.job,
            leads=event.leads,
            reason=event.reason,
            error_type=event.error_type or "",
            about=event.about,
        )

    @property
    def kind(self) -> LogKind:
        """Return which of its team's logs it belongs to."""
        if self.outcome == "refused":
            return "refused"
        return "hits" if self.outcome in _HITS else "bought"

    @property
    def alike(self) -> tuple[object, ...]:
        """Return what requests have in common that one may stand for."""
        return (
            self.outcome, self.route, self.status, self.app, self.key, self.model, self.upstream,
            self.reason, self.error_type, *self.about.items(),
        )  # fmt: skip

    def with_others(self, other: Self) -> Self:
        """Let it stand for those of another entry as well."""
        return msgspec.structs.replace(
            self,
            number=self.number + other.number,
            pictures=self.pictures + other.pictures,
            bought=self.bought + other.bought,
            billed=self.billed + other.billed,
            saved=self.saved + other.saved,
        )

    def blurred(self) -> Self:
        """Leave out what differs between requests that are not alike."""
        return msgspec.structs.replace(
            self, app="", key="", model="", upstream="", job="", fingerprint=""
        )


class LogFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A filter of logged requests; "", 0 and None match all.

    Attributes:
        team: Of this team.
        app: Of this app, given as "team/app" or by its name alone.
        key: Of this key, by its public id.
        model: For this model.
        outcome: See `Outcome`; "answered" for all that were not refused.
        reason: Refused for this reason.
        status: With this status.
        first_ms: Logged at this time or later, in ms since 1970.
        last_ms: Logged before this time; None for no bound.
    """

    team: str = ""
    app: str = ""
    key: str = ""
    model: str = ""
    outcome: str = ""
    reason: str = ""
    status: int = 0
    first_ms: int = 0
    last_ms: int | None = None

    def reads(self, kind: str, team: str) -> bool:
        """Return whether one of the logs may have matching requests."""
        if self.team not in {"", team}:
            return False
        if kind == "refused":
            return self.outcome in {"", "refused"} and self.status != _OK
        if self.reason or self.status not in {0, _OK}:
            return False
        kinds: Mapping[str, tuple[str, ...]] = {
            "": ("hits", "bought"), "answered": ("hits", "bought"), "refused": (),
            "hit": ("hits",), "derived": ("hits",),
        }  # fmt: skip
        return kind in kinds.get(self.outcome, ("bought",))

    @property
    def words(self) -> tuple[str, ...]:
        """Texts that each matching request has as it is stored; some others have them too."""
        outcome = "" if self.outcome == "answered" else self.outcome
        app = self.app.rpartition("/")[2]
        named = (self.team, app, self.key, self.model, outcome, self.reason)
        quoted = [msgspec.json.encode(word).decode() for word in named if word]
        return (*quoted, *([f",{self.status},"] if self.status else ()))

    def wants(self, one: LoggedRequest) -> bool:
        """Return whether a request matches."""
        outcome = one.outcome if one.outcome == "refused" else "answered"
        return (
            self.team in {"", one.team}
            and self.app in {"", one.app, f"{one.team}/{one.app}"}
            and self.key in {"", one.key}
            and self.model in {"", one.model}
            and self.outcome in {"", one.outcome, outcome}
            and self.reason in {"", one.reason}
            and self.status in {0, one.status}
        )


def _ms(duration_s: float) -> float:
    return round(duration_s * 1000, 1)
