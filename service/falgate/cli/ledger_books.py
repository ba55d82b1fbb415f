"""`falgate ledger reconcile` and `recover`: the ledger held against fal's own books."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import httpx
from redis.asyncio import Redis

from falgate.admin.api.shapes import instant
from falgate.admin.context import upstream_of
from falgate.billing.closed_job import Corrected, ReconcileReport, Recovered
from falgate.billing.reconcile import LAG_S, Reconciler, Report
from falgate.billing.recover import Mended, RecoveryRefused, RecoveryReport, recover
from falgate.billing.store.corrections import Corrections
from falgate.billing.store.recovery import Recovery
from falgate.cli.client import acting
from falgate.cli.local import with_redis
from falgate.cli.options import DOLLARS, as_json, wants_json
from falgate.cli.output import table
from falgate.core.money import dollars, usd
from falgate.core.printable import escaped
from falgate.fal.billing import BooksClosed
from falgate.fal.platform import FalPlatform
from falgate.first_start import known_upstreams
from falgate.jobs.store.jobs import Jobs
from falgate.money.store.instance import Instance
from falgate.redis.client import Durability
from falgate.sandbox.app import create_sandbox
from falgate.served_models import served_models
from falgate.settings import SANDBOX, Settings

_HOURS_MAX = 6 * 24
"""Jobs, which say what each request is, are kept for a day longer."""
_OWNER = "cli"
_USED = ("fal_admin_key", "platform_url", "lease_s", "models_dir")
"""The settings that these commands use besides those of Redis."""


@click.command()
@click.option(
    "--hours",
    type=click.IntRange(1, _HOURS_MAX),
    help="How far back; by default as far as the last look left something.",
)
@click.option(
    "--lag-minutes",
    type=click.IntRange(0, 24 * 60),
    default=LAG_S // 60,
    show_default=True,
    help="Leave younger jobs alone: billing events lag.",
)
@as_json
def reconcile(*, hours: int | None, lag_minutes: int) -> None:
    """Compare closed jobs with what fal billed, and post each difference, once.

    Needs FALGATE_FAL_ADMIN_KEY, a key of fal's that may read billing. A gateway that has it does
    the same every hour.
    """

    async def compare(found: Settings, redis: Redis) -> Report:
        async with _books(found, redis) as (upstream, platform):
            if platform is None:
                raise click.ClickException(
                    "fal's billing cannot be read: give FALGATE_FAL_ADMIN_KEY, a key of fal's that "
                    "may"
                )
            corrections, jobs = Corrections(redis, owner=_OWNER), _jobs(found, redis)
            reconciler = Reconciler(
                upstream, platform, corrections, jobs, endpoints=tuple(served_models(found))
            )
            return await reconciler.look(
                lag_s=lag_minutes * 60, back_s=None if hours is None else hours * 3600
            )

    report = with_redis(compare, *_USED)
    posted = [_correction(each) for each in report.corrected]
    if wants_json():
        click.echo(json.dumps({**_figures(report.summary), "corrections": posted}))
        return
    if posted:
        _table(posted)
    click.echo(_words(report.summary))


@click.command("recover")
@click.option("--yes", "act", is_flag=True, help="Do it, and let buying go on.")
@click.option(
    "--assume", type=DOLLARS, help="Book so much for a request whose price nobody can say."
)
@click.option(
    "--accept-loss",
    is_flag=True,
    help="Let buying go on although fal's books are not there: up to a second of purchases may be "
    "missing in the ledger for good.",
)
@as_json
def recover_books(*, act: bool, assume: str | None, accept_loss: bool) -> None:
    """After a crash of Redis: set counters right, and find in fal's books what is lost.

    Shows what it would do; --yes does it. Until then nothing is bought where buying is frozen.
    """

    async def work(found: Settings, redis: Redis) -> RecoveryReport:
        async with _books(found, redis) as (upstream, platform):
            return await recover(
                upstream,
                Recovery(redis, found.calendar, acting()),
                _jobs(found, redis),
                platform,
                served_models(found),
                act=act,
                accept_loss=accept_loss,
                assumed=None if assume is None else usd(assume),
            )

    outcome = with_redis(work, *_USED)
    rows = [_unknown(each) for each in outcome.found]
    counters = [_counter(each) for each in outcome.mended]
    twice = [_counter(each) for each in outcome.twice]
    if wants_json():
        frozen = outcome.frozen.why if outcome.frozen else ""
        found = {"found": rows, "counters": counters, "closed_twice": twice}
        click.echo(json.dumps({"state": outcome.state, "frozen": frozen, **found}))
        return
    for each in (rows, counters, twice):
        if each:
            _table(each)
    if twice:
        click.echo("Jobs that were closed more than once are booked as often: nothing undoes that.")
    click.echo(
        {
            "sound": "Buying is not frozen: there is nothing to recover.",
            "shown": f"{len(counters)} counters differ from the ledger, and {len(rows)} requests "
            "of fal's are not in it. Nothing was done: --yes puts that right and lets buying go "
            "on.",
            "mended": f"{len(counters)} counters were set to what the ledger says.",
            "thawed": f"{len(counters)} counters and {len(rows)} requests were put right. Buying "
            "goes on.",
        }[outcome.state]
    )


@asynccontextmanager
async def _books(found: Settings, redis: Redis) -> AsyncIterator[tuple[str, FalPlatform | None]]:
    """The upstream of live keys, and its own books as far as they can be read."""
    upstream = upstream_of(await known_upstreams(redis), "live")
    platform = _platform(found, upstream)
    try:
        yield upstream, platform
    except (BooksClosed, RecoveryRefused) as error:
        raise click.ClickException(str(error)) from None
    finally:
        if platform is not None:
            await platform.close()


def _platform(found: Settings, upstream: str) -> FalPlatform | None:
    """The upstream's own books: fal's by its admin key, or those that the sandbox keeps on disk."""
    if upstream != SANDBOX:
        key = found.fal_admin_key
        return FalPlatform(found.platform_url, key) if key else None
    directory = Path(found.data_dir) / "sandbox"
    if not directory.is_dir():
        return None
    app: Any = create_sandbox(served_models(found), directory=directory)
    transport = httpx.ASGITransport(app)
    return FalPlatform("http://platform.sandbox/v1", "falgate:sandbox", transport=transport)


def _jobs(found: Settings, redis: Redis) -> Jobs:
    # Jobs are read and told their requests here; none is begun, so that no ledger is named.
    return Jobs(
        redis,
        Instance(
            ledger_id="",
            owner=_OWNER,
            calendar=found.calendar,
            lease_ms=found.lease_s * 1000,
            durability=Durability(),
        ),
    )


def _table(rows: list[dict[str, str]]) -> None:
    names = [name.replace("_usd", " $").replace("_", " ") for name in rows[0]]
    table(names, [[escaped(each) for each in row.values()] for row in rows])


def _correction(each: Corrected) -> dict[str, str]:
    return {
        "job": each.closed.job,
        "request": each.closed.request_id,
        "team": each.closed.team,
        "app": each.closed.app,
        "was_usd": dollars(each.closed.charge.total),
        "now_usd": dollars(each.now.total),
        "difference_usd": dollars(each.difference),
        "why": each.why,
    }


def _unknown(each: Recovered) -> dict[str, str]:
    known = "" if each.amount is None else dollars(each.amount)
    how = "" if each.amount is None else ("billed" if each.billed else "at most")
    return {
        "request": each.request_id,
        "sent": _moment(each.sent_ms),
        "model": each.model,
        "amount_usd": "" if each.job else known,
        "known_by": "its job" if each.job else how,
        "job": each.job,
    }


def _counter(each: Mended) -> dict[str, str]:
    off = each.difference
    return {
        "books": each.upstream,
        "account": off.account,
        "window": off.window,
        "counter": off.counter,
        "found": str(off.found),
        "ledger": str(off.ledger),
    }


def _figures(summary: ReconcileReport) -> dict[str, Any]:
    return {
        "since": _moment(summary.since_ms),
        "until": _moment(summary.until_ms),
        "looked": summary.looked,
        "corrected": summary.corrected,
        "difference_usd": dollars(summary.difference),
        "pending": summary.pending,
        "drift_usd": dollars(summary.drift),
        "unmatched": summary.unmatched,
        "strange": summary.strange,
    }


def _words(summary: ReconcileReport) -> str:
    words = (
        f"{summary.looked} jobs from {_moment(summary.since_ms)} to {_moment(summary.until_ms)}: "
        f"{summary.corrected} corrected by ${dollars(summary.difference)}, {summary.pending} that "
        f"fal's billing does not decide yet. Billed for {summary.unmatched} requests that are not "
        f"ours: ${dollars(summary.drift)}."
    )
    if summary.pending and summary.unmatched:
        words += (
            " Such a request may be that of a job whose submit had no answer: as long as one is "
            "nobody's, such a job stays booked in full."
        )
    if summary.strange:
        words += (
            " fal's billing has none of our requests, so nothing was given back: is "
            "FALGATE_FAL_ADMIN_KEY of the same account as FAL_KEY?"
        )
    return words


def _moment(at_ms: int) -> str:
    return instant(at_ms / 1000) or ""
