"""The event sink: turns events of the service into metrics and log lines."""

import time
from collections.abc import Callable
from typing import Any

import structlog

from falgate.core.events import (
    Alert,
    AlertFailed,
    Anomaly,
    Answered,
    ModelAlerted,
    Overdrawn,
    Purchased,
    Refused,
)
from falgate.core.faults import kind
from falgate.telemetry.logged_request import LoggedRequest
from falgate.telemetry.metrics import Metrics
from falgate.telemetry.request_logger import RequestLogger
from falgate.telemetry.sampler import Sampler
from falgate.telemetry.seldom import Seldom
from falgate.telemetry.upstreams import short
from falgate.webhooks.delivery import WebhookAttempted

ANSWERED = "call.answered"
"""Name of the log's event of an answer."""

_HITS = frozenset({"hit", "derived"})
_LOG = structlog.get_logger()
_SERVER_ERROR = 500
_OF_THE_ACCOUNT = frozenset({"exhausted_balance", "bad_upstream_key", "no_upstream_access"})
"""Anomalies that repeat with every purchase until an operator acts; logged once a minute."""


class Telemetry:
    """Counts and logs every event.

    Attributes:
        metrics: Where events are counted.
        hits_logged: Picks the hits that are logged.
        log: The request log, if there is one.
    """

    def __init__(
        self,
        metrics: Metrics,
        tally: Callable[[Answered, int], None],
        clock: Callable[[], float] = time.monotonic,
        hits_logged: Sampler | None = None,
        log: RequestLogger | None = None,
    ) -> None:
        """Record events.

        Args:
            metrics: Counts them.
            tally: Called with each answer and its number, for the usage reports.
            clock: Seconds, for messages that are written seldom.
            hits_logged: Picks the hits that are logged; None: all.
            log: The request log; None for none.
        """
        self.hits_logged = hits_logged or Sampler()
        self._seldom = Seldom(clock)
        self.metrics = metrics
        self._tally = tally
        self._unpaid: set[str] = set()
        self.log = log

    def answered(self, event: Answered) -> None:
        """Record that a caller got pictures."""
        self.counted(event)
        self.metrics.own_seconds.observe(max(0.0, event.took_s - event.waited_s))
        if self.log is not None:
            self.log.note(LoggedRequest.answered(event, _now_ms()))
        if event.source not in _HITS or self.hits_logged.picks():
            _LOG.info(
                ANSWERED,
                request=event.request_id,
                **described(event),
                **timed(event.took_s, event.waited_s),
            )

    def counted(self, event: Answered, number: int = 1) -> None:
        """Count an answer, or a number of equal ones."""
        metrics, upstream = self.metrics, short(event.upstream)
        team, app = metrics.app(event.team, event.app)
        metrics.answers[event.model, event.source, team, app] += number
        metrics.saved[upstream, team] += event.saved * number
        self._tally(event, number)

    def purchased(self, event: Purchased) -> None:
        """Record that a job was settled."""
        metrics, upstream = self.metrics, short(event.upstream)
        metrics.purchases[upstream, event.outcome] += 1
        metrics.pictures_bought[(upstream,)] += event.pictures
        metrics.booked[upstream, metrics.team(event.team)] += event.charged
        if event.upstream_s is not None:
            metrics.upstream_seconds.observe(event.upstream_s)
        _LOG.info(
            "job.settled",
            job=event.job,
            fal_request=event.fal_request_id,
            model=event.model,
            upstream=event.upstream,
            team=event.team,
            outcome=event.outcome,
            pictures=event.pictures,
            charged_micros=event.charged,
            overrun_micros=event.overrun,
            upstream_s=None if event.upstream_s is None else round(event.upstream_s, 2),
        )

    def anomaly(self, event: Anomaly) -> None:
        """Record an anomaly; one that repeats with every purchase is logged once a minute."""
        self.metrics.anomalies[(event.what,)] += 1
        said = {"what": event.what, "job": event.job, "detail": event.detail}
        if event.what not in _OF_THE_ACCOUNT:
            _LOG.warning("job.anomaly", **said)
        elif (untold := self._seldom.due((event.what, kind(event.detail)))) is not None:
            _LOG.warning("job.anomaly", **said, untold=untold)

    def overdrawn(self, upstream: str, shadow: Overdrawn) -> None:
        """Record that a shadow budget would have refused a purchase."""
        account = shadow.account
        self.metrics.overdrawn[short(upstream), account.level, shadow.kind] += 1
        _LOG.warning(
            "budget.overdrawn", upstream=upstream, account=account.name, window=shadow.kind
        )

    def unchecked(self) -> None:
        """Record that a request was let through because its rate limit could not be read."""
        self.metrics.unchecked[()] += 1

    def exhausted(self, upstream: str) -> None:
        """Note an upstream that refused for lack of balance, for the alert worker."""
        self._unpaid.add(upstream)

    def unpaid(self) -> set[str]:
        """Return the upstreams that refused for lack of balance since the last call."""
        found, self._unpaid = self._unpaid, set()
        return found

    def alerted(self, event: Alert) -> None:
        """Record a new alert."""
        if isinstance(event, ModelAlerted):
            self.metrics.model_alerts[event.model, event.what] += 1
            _LOG.warning(
                f"model.{event.what}",
                alert=event.alert,
                upstream=event.upstream,
                model=event.model,
                retires=event.retires,
                successor=event.successor,
                apps=list(event.apps),
            )
            return
        if event.what == "balance":
            _LOG.error("upstream.unpaid", alert=event.alert, upstream=event.upstream)
            return
        kind = event.window.partition(":")[0]
        self.metrics.alerts[short(event.upstream), event.level, kind] += 1
        _LOG.warning(
            "budget.alert" if event.what == "threshold" else "budget.refused",
            alert=event.alert,
            upstream=event.upstream,
            account=event.account,
            window=event.window,
            percent=event.percent,
            limit_micros=event.limit,
            spent_micros=event.spent,
            held_micros=event.held,
        )

    def untold(self, event: AlertFailed) -> None:
        """Record that an alert could not be sent."""
        self.metrics.untold[(str(event.lost).lower(),)] += 1
        _LOG.warning("alert.untold", alert=event.alert, problem=event.problem, lost=event.lost)

    def tried(self, event: WebhookAttempted) -> None:
        """Record a webhook delivery attempt, with the origin of its URL only."""
        self.metrics.webhooks[(event.outcome,)] += 1
        log = _LOG.info if event.outcome == "delivered" else _LOG.warning
        team, _, app = event.subject.partition("/")
        log(
            "webhook.tried",
            request=event.request_id,
            team=team,
            app=app,
            target=event.target,
            outcome=event.outcome,
            attempt=event.attempt,
            said=event.said,
            took_ms=round(event.took_s * 1000, 1),
        )

    def verified(self, upstream: str, differences: int) -> None:
        """Log a ledger check; `differences` is -1 if the ledger cannot be read."""
        log = _LOG.error if differences else _LOG.info
        log("ledger.verified", upstream=upstream, differences=differences)

    def dropped(self, model: str, fields: int) -> None:
        """Count input fields unknown to the model; their names are not logged."""
        self.metrics.dropped[(model,)] += fields

    def refused(self, event: Refused) -> None:
        """Record that a request got an error. Server errors are logged as warnings."""
        if event.reason:
            team = self.metrics.team(event.team) if event.team else ""
            self.metrics.refusals[team, event.reason] += 1
            self.failed(event)
        log = _LOG.warning if event.status >= _SERVER_ERROR else _LOG.info
        log(
            "request.refused",
            request=event.request_id,
            route=event.route,
            status=event.status,
            team=event.team or None,
            app=event.app or None,
            key=event.key or None,
            reason=event.reason or None,
            error_type=event.error_type,
            **event.about,
        )

    def failed(self, event: Refused) -> None:
        """Put a request for pictures that got none into the request log."""
        if self.log is not None and event.asked:
            self.log.note(LoggedRequest.refused(event, _now_ms()))

    def requested(self, route: str, status: int, number: int = 1) -> None:
        """Count answered requests; `route` is one of a closed set."""
        self.metrics.requests[route, str(status)] += number


def described(event: Answered) -> dict[str, Any]:
    """Return what the log says of an answer, besides its id and times."""
    return {
        "model": event.model,
        "upstream": event.upstream,
        "team": event.team,
        "app": event.app,
        "key": event.key,
        "job": event.job,
        "source": event.source,
        "pictures": event.pictures,
        "booked_micros": event.billed,
        "saved_micros": event.saved,
    }


def timed(took_s: float, waited_s: float = 0) -> dict[str, float]:
    """Return what the log says of the times of an answer."""
    return {"took_ms": round(took_s * 1000, 1), "waited_ms": round(waited_s * 1000, 1)}


def _now_ms() -> int:
    return int(time.time() * 1000)
