"""Random lives of jobs on real servers, step by step beside a plain model of the same."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from adding_up import assert_added_up
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run
from patience import TRIP_S

from falgate.accounts.limits import PurchaseLimits
from falgate.cache.pool import PoolVersion
from falgate.core.account import LEVELS, ORGANISATION, Account, chain
from falgate.jobs.job import MOVES, Fenced, Job, Order, State
from falgate.jobs.settlement import Settlement
from falgate.jobs.verdicts import Denied, Held
from falgate.money.budget import Budget
from falgate.money.store.verify import verify
from falgate.redis import keyspace
from falgate.redis.client import connect

UPSTREAM, HOURS_LATER = "machine", [1, 9, 24, 7 * 24, 31 * 24]
EXAMPLES, IN_FULL, LENGTH = 30, 120, 50
CALM = settings(
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # a failure is told at once; Phase.shrink takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
STEPS = ["limit", "relieve", "later", "mark", "accept", "settle", "finish", "renew", "adopt"]
# The way to the pictures more often than what leads off it, or most lives would be short.
steps = st.sampled_from([*STEPS, *["hold"] * 5, *["go_on"] * 8])
NEXT = {"reserved": "mark", "submitting": "accept", "accepted": "settle", "paid": "finish"}
numbers = st.integers(0, 99_999)  # taken by its remainders, each for another choice
names = st.tuples(*map(st.sampled_from, ("tu", "pq", "kl", "mn")))
hierarchies = st.lists(names, min_size=1, max_size=5, unique=True)  # team, app, key and model


class Money(RuleBasedStateMachine):
    """Workers that act on true and outdated knowledge, each step perhaps repeated."""

    url: str
    order: Callable[..., Order]
    new_model: Callable[[], Any]
    operator_of: Callable[..., Any]
    compare: Callable[..., Awaitable[None]]
    met: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = connect(self.url, timeout_s=TRIP_S)
        self.do(self.redis.flushall())
        self.model = type(self).new_model()
        self.operator = type(self).operator_of(self.redis, self.model)
        self.do(self.operator.open())
        self.views, self.accounts = list[Job](), list[Account]()

    def do(self, step: Awaitable[Any]) -> Any:
        """Take a step of the asynchronous code."""

        async def take() -> Any:
            return await step

        return self.runner.run(take())

    def ask(self, step: Callable[[], Awaitable[Any]], *, twice: bool) -> Any:
        """Take a step, perhaps once more as after a lost reply; None when it is fenced."""
        try:
            answer = self.do(step())
            if twice:
                assert self.do(step()) == answer
        except Fenced:
            return None
        return answer

    def teardown(self) -> None:
        """Add the whole ledger up, and leave nothing open."""
        assert self.do(verify(self.redis, UPSTREAM)).differences == ()
        self.do(assert_added_up(self.redis, UPSTREAM))
        self.do(self.redis.flushall())
        self.do(self.redis.aclose())
        self.runner.close()

    def view(self, pick: int) -> tuple[Job, Any]:
        """What one of the workers believes, and the truth about its job."""
        job = self.views[-min(pick, len(self.views))]
        return job, self.model.books[job.order.id]

    def learn(self, pick: int, state: State) -> None:
        """One of the workers knows that its job has moved on."""
        at = -min(pick, len(self.views))
        self.views[at] = msgspec.structs.replace(self.views[at], state=state)

    def limit(self, pick: int, number: int, *, twice: bool) -> None:
        """An operator leaves a little room, or none; to a budget, or to the overage account."""
        for _again in range(1 + twice):
            if number % 6 == 0:
                self.do(self.operator.limit_overage(max(0, self.model.overrun + number % 5 - 2)))
            else:
                self.do(self.operator.leave_room(self.accounts, pick, number))

    def relieve(self, pick: int, number: int, *, twice: bool) -> None:
        """An operator raises a budget for its window, or lets it start anew."""
        limits = sorted(self.model.limits, key=str)
        often = (self.accounts[0], "day") if pick == 1 else (ORGANISATION, "total")
        limited = often if number % 2 else limits[number // 2 % len(limits)]
        times, raised = 1 + twice, number % 5
        of = self.operator
        self.do(of.raise_(*limited, raised, times) if pick == 1 else of.reset(*limited, times))

    def later(self, _: int, number: int, *, twice: bool) -> None:
        """Windows end and others begin, whatever is under way."""
        for _again in range(1 + twice):
            self.operator.later(timedelta(hours=HOURS_LATER[number % len(HOURS_LATER)]))

    @initialize(number=numbers, hierarchy=hierarchies)
    def begin(self, number: int, hierarchy: list[tuple[str, str, str, str]]) -> None:
        """There is always something to work on, and somebody who pays for it."""
        self.chains = [(t, a, f"{t}{a}{key}", f"acme/{model}") for t, a, key, model in hierarchy]
        self.accounts = [account for names in self.chains for account in reversed(chain(*names))]
        # The tighter the lower, and the shorter: each level comes to be the one that refuses.
        for at, kind in enumerate(("day", "week", "month", "month")):
            self.do(self.operator.limit(self.accounts[at], kind, Budget(limit=6 + 5 * at)))
        self.hold(0, number, twice=False)

    def hold(self, pick: int, number: int, *, twice: bool) -> None:
        """Somebody wants to buy, having read the pool at about the time of its last purchase."""
        fingerprint, amount = "fghi"[number % 4], 1 + number % 6
        marker = self.model.markers.get(fingerprint, PoolVersion(1, 1))
        generation = marker.generation + (number % 5 == 0) - (number % 7 == 0)
        known = PoolVersion(generation, max(0, marker.count + number % 3 - 1))
        windows = self.operator.calendar.windows(self.do(self.operator.jobs.now_ms()))
        assert [window.name for window in windows] == list(self.model.windows.values())
        job_id = f"j{len(self.model.books)}"
        charged = self.chains[(pick + number) % len(self.chains)]
        changes = dict(zip(("team", "app", "key", "endpoint"), charged, strict=True))
        changes["endpoint"] *= bool(number % 11)  # an earlier version held without it
        order = type(self).order(job_id, fingerprint, upstream=UPSTREAM, held=amount, **changes)
        expected = self.model.verdict(fingerprint, amount, known, order.accounts, windows)

        assert self.do(self.operator.jobs.hold(order, known, PurchaseLimits())) == expected

        self.met |= {type(expected).__name__}
        if isinstance(expected, Denied):
            self.met.add(expected.account.level)
        if isinstance(expected, Held):
            self.met |= {type(each).__name__ for each in expected.overdrawn}
            self.model.opened(job_id, fingerprint, amount, order.accounts)
            job = self.do(self.operator.jobs.read(job_id))
            assert job is not None
            self.views.append(job)
        if twice:
            # Which shadow budgets have no room, the first answer said.
            again = Held() if isinstance(expected, Held) else expected
            assert self.do(self.operator.jobs.hold(order, known, PurchaseLimits())) == again

    @rule(step=steps, pick=st.integers(1, 3), number=numbers, twice=st.booleans())
    def act(self, step: str, pick: int, number: int, twice: bool) -> None:
        """One rule for all steps: of several, most lives would leave some out."""
        getattr(self, step)(pick, number, twice=twice)

    def go_on(self, pick: int, number: int, *, twice: bool) -> None:
        """A worker takes the next step, as it knows it."""
        step = NEXT.get(self.view(pick)[0].state, "hold")
        getattr(self, step)(pick, number, twice=twice)

    def mark(self, pick: int, _: int, *, twice: bool) -> None:
        """A worker is about to submit."""
        job, book = self.view(pick)
        mine = book.epoch == job.epoch
        allowed = mine and (
            book.state == "submitting" or (book.state == "reserved" and not book.lapsed)
        )

        answer = self.ask(lambda: _true(self.operator.jobs.mark(job)), twice=twice)

        assert (answer is True) == allowed
        if allowed:
            book.lapsed = book.lapsed and book.state == "submitting"
            book.state = "submitting"
            self.learn(pick, "submitting")

    def accept(self, pick: int, number: int, *, twice: bool) -> None:
        """Fal took it, and a worker says so."""
        job, book = self.view(pick)
        request_id = f"r{number % 42}"
        taken = any(other.request_id == request_id for other in self.model.books.values())
        expected = book.request_id == request_id or (not taken and not book.request_id)

        assert self.ask(lambda: self.operator.jobs.accept(job, request_id), twice=twice) is expected

        if expected:
            book.request_id = request_id
            if book.state in {"submitting", "reserved"}:
                book.state, book.lapsed = "accepted", False
            if job.state == "submitting":
                self.learn(pick, "accepted")

    def renew(self, pick: int, number: int, *, twice: bool) -> None:
        """A worker keeps its job, or hands it over."""
        job, book = self.view(pick)
        lease_ms = 0 if number % 2 else 600_000
        expected = book.open and book.epoch == job.epoch

        answer = self.ask(lambda: self.operator.jobs.renew(job, lease_ms=lease_ms), twice=twice)

        assert answer is expected
        book.lapsed = lease_ms == 0 if expected else book.lapsed

    def adopt(self, pick: int, number: int, *, twice: bool) -> None:
        """Somebody takes a job over, if its lease ran out."""
        known, book = self.view(pick)
        job_id = known.order.id
        if number % 3:
            # Its owner has stopped long ago.
            self.do(self.redis.zadd(keyspace.open_jobs(UPSTREAM), {job_id: 1}, xx=True))
            book.lapsed = book.open

        job = self.do(self.operator.jobs.adopt(job_id, UPSTREAM))

        assert (job is not None) == (book.open and book.lapsed)
        if job is not None:
            book.epoch, book.lapsed = book.epoch + 1, False
            assert (job.epoch, job.state) == (book.epoch, book.state)
            self.views.append(job)
        if twice:
            assert self.do(self.operator.jobs.adopt(job_id, UPSTREAM)) is None

    def settle(self, pick: int, number: int, *, twice: bool) -> None:
        """A worker knows what its job costs: below, at or above the hold."""
        job, book = self.view(pick)
        charge = max(0, book.held + number % 5 - 2)
        ways = sorted(MOVES[job.state] & {"paid", "refused", "released", "unknown"})
        if not ways or (job.state == "reserved" and number % 4):
            return
        settlement = Settlement(state=ways[max(0, number % 7 - 3) % len(ways)], charge=charge)  # type: ignore[arg-type]  # narrowed by the set above
        mine = book.epoch == job.epoch
        before = mine and book.settled_to == settlement.state
        now = mine and book.state == job.state and not before

        answer = self.ask(lambda: _true(self.operator.jobs.settle(job, settlement)), twice=twice)

        assert (answer is True) == (before or now)
        if now:
            book.state, book.settled_to = settlement.state, settlement.state
            book.charged, book.overrun = min(charge, book.held), max(0, charge - book.held)
            self.met |= set() if self.model.windows["day"] in book.windows else {"late"}
            book.lapsed = False
        if answer and job.state != settlement.state:
            self.learn(pick, settlement.state)

    def finish(self, pick: int, number: int, *, twice: bool) -> None:
        """A worker has the pictures."""
        job, book = self.view(pick)
        pool = PoolVersion(1 + number % 2, number % 3) if number % 4 else None
        now = book.state == "paid" and book.epoch == job.epoch
        expected = now or book.state == "finished"

        answer = self.ask(lambda: _true(self.operator.jobs.finish(job, (), pool)), twice=twice)

        assert (answer is True) == expected
        if expected:
            self.learn(pick, "finished")
        if now:
            book.state = "finished"
            if pool and pool.count:
                self.model.markers[book.fingerprint] = pool

    @invariant()
    def the_books_are_right(self) -> None:
        """Every counter is what the jobs say, and every closed job has one entry."""
        self.do(type(self).compare(self.model, self.redis, self.operator.budgets))
        self.met |= {book.state for book in self.model.books.values()}


async def _true(step: Awaitable[None]) -> bool:
    await step
    return True


def test_money_moves_as_the_model_says(
    url: str, order: Callable[..., Order], plain: dict[str, Any], pytestconfig: pytest.Config
) -> None:
    met: set[str] = set()
    there = type("There", (Money,), {**plain, "url": url, "order": staticmethod(order), "met": met})
    rare = {"Held", "Overdrawn", "Joined", "PoolChanged", "Denied", "NoBudget", "late"}
    rare |= {"OverageFull", *LEVELS, *MOVES}
    lives = IN_FULL if pytestconfig.getoption("full") else EXAMPLES
    for longer in range(0, 4 * 5, 5):  # what is met depends on Redis's clock, too
        run(there, settings=settings(CALM, max_examples=lives, stateful_step_count=LENGTH + longer))
        if rare <= met:
            break
    assert rare <= met
