"""Facts into metrics and logs: the flow says what happened, here it is counted and written."""

import structlog

from falgate.core.events import Answered, Doubted, Purchased
from falgate.telemetry.metrics import Metrics

_LOG = structlog.get_logger()


class Telemetry:
    """Counts and logs every fact."""

    def __init__(self, metrics: Metrics) -> None:
        """Count in `metrics`."""
        self._metrics = metrics

    def answered(self, event: Answered) -> None:
        """A caller got pictures."""
        metrics, team = self._metrics, self._metrics.team(event.team)
        metrics.answers[event.model, event.source] += 1
        metrics.saved[event.upstream, team] += event.saved
        metrics.own_seconds.observe(max(0.0, event.took_s - event.waited_s))
        _LOG.info(
            "call.answered",
            request=event.request_id,
            model=event.model,
            upstream=event.upstream,
            team=event.team,
            app=event.app,
            key=event.key,
            job=event.job,
            source=event.source,
            pictures=event.pictures,
            billed_micros=event.billed,
            saved_micros=event.saved,
            took_ms=round(event.took_s * 1000, 1),
            waited_ms=round(event.waited_s * 1000, 1),
        )

    def purchased(self, event: Purchased) -> None:
        """A job's money was settled."""
        metrics, team = self._metrics, self._metrics.team(event.team)
        metrics.purchases[event.upstream, event.outcome] += 1
        metrics.pictures_bought[(event.upstream,)] += event.pictures
        metrics.billed[event.upstream, team] += event.charged
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

    def doubted(self, event: Doubted) -> None:
        """Somebody should look."""
        self._metrics.doubts[(event.what,)] += 1
        _LOG.warning("job.doubted", what=event.what, job=event.job, detail=event.detail)

    def dropped(self, model: str, fields: int) -> None:
        """A caller sent fields that the model does not know; their names are the caller's."""
        self._metrics.dropped[(model,)] += fields

    def requested(self, route: str, status: int) -> None:
        """A request was answered; `route` is one of a closed set."""
        self._metrics.requests[route, str(status)] += 1
