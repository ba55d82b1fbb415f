"""Random lives of jobs on real servers, step by step beside a plain model of the same."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run

from falgate.core.budget import ORGANISATION, Account
from falgate.core.calendar import Calendar, Kind
from falgate.core.claim import Held, Seen, Terms
from falgate.core.job import MOVES, Fenced, Job, Order, State
from falgate.core.outcome import Settlement
from falgate.store import _keys
from falgate.store.budgets import Budgets
from falgate.store.connect import Durability, connect
from falgate.store.jobs import Jobs
from falgate.store.ledger import Ledger
from falgate.store.verify import verify

UPSTREAM = "machine"
# No midnight for hours; the hour itself is counted, and limited nowhere.
CALENDAR = Calendar(timezone(timedelta(hours=12 - datetime.now(UTC).hour)))
BUDGETS: list[tuple[Account, Kind]] = [
    (ORGANISATION, "day"),
    (ORGANISATION, "total"),
    (Account("team", "t"), "week"),
    (Account("app", "t/p"), "month"),
    (Account("key", "k"), "day"),
]
T = TypeVar("T")
EXAMPLES = 60
LENGTH = 50
STEPS = ["hold", "set_limit", "relieve", "mark", "accept", "settle", "finish", "renew", "adopt"]
# The way to the pictures more often than what leads off it, or most lives would be short.
steps = st.sampled_from(STEPS + 2 * ["mark", "accept", "settle", "finish"] + ["hold", "adopt"])
numbers = st.integers(0, 41)


class Money(RuleBasedStateMachine):
    """Workers that act on true and outdated knowledge, each step perhaps repeated."""

    url: str
    order: Callable[..., Order]
    new_model: Callable[[], Any]
    reached: set[State]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = connect(self.url)
        self.do(self.redis.flushall())
        self.ledger = Ledger(self.redis)
        self.budgets = Budgets(self.redis, CALENDAR)
        self.jobs = Jobs(
            self.redis,
            ledger_id=self.do(self.ledger.birth(None, CALENDAR)),
            owner="one",
            calendar=CALENDAR,
            lease_ms=600_000,
            durability=Durability(),
        )
        self.model = self.new_model()
        self.views: list[Job] = []
        self.changes = 0
        for limited, room in ((None, 30), ((ORGANISATION, "total"), 60)):
            self.do(self.model.limit(self.budgets, UPSTREAM, limited, room))

    def do(self, step: Awaitable[T]) -> T:
        """Take a step of the asynchronous code."""

        async def take() -> T:
            return await step

        return self.runner.run(take())

    def ask(self, step: Callable[[], Awaitable[T]], *, twice: bool) -> T | None:
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

    def set_limit(self, _: int, number: int, *, twice: bool) -> None:
        """An operator leaves a little room, or none; to a budget, or to the house."""
        limited = [*BUDGETS, None][number % (len(BUDGETS) + 1)]
        used = self.model.spent + self.model.held if limited else self.model.overrun
        for _again in range(1 + twice):
            room = max(0, used + number // 3 - 2)
            self.do(self.model.limit(self.budgets, UPSTREAM, limited, room))

    def relieve(self, pick: int, number: int, *, twice: bool) -> None:
        """An operator raises a budget for its window, or lets it start anew."""
        limited = BUDGETS[number % len(BUDGETS)]
        if limited not in self.model.limits:
            return
        self.changes += 1
        change = f"c{self.changes}"
        for _again in range(1 + twice):
            if pick == 1:
                self.do(self.budgets.raise_(UPSTREAM, *limited, number, change=change, who="m"))
            else:
                self.do(self.budgets.reset(UPSTREAM, *limited, change=change, who="m"))
        if pick == 1:
            self.model.raised[limited] += number
        else:
            self.model.forgiven[limited] = self.model.spent

    @initialize(number=numbers)
    def begin(self, number: int) -> None:
        """There is always something to work on."""
        self.hold(0, number, twice=False)

    def hold(self, _: int, number: int, *, twice: bool) -> None:
        """Somebody wants to buy, having read the pool at about the time of its last purchase."""
        fingerprint, amount = "fg"[number % 2], 1 + number % 6
        marker = self.model.markers.get(fingerprint, Seen(1, 1))
        generation = marker.generation + (number % 5 == 0) - (number % 7 == 0)
        known = Seen(generation, max(0, marker.count + number % 3 - 1))
        windows = CALENDAR.windows(self.do(self.jobs.now_ms()))
        job_id = f"j{len(self.model.books)}"
        order = type(self).order(job_id, fingerprint, upstream=UPSTREAM, held=amount)
        expected = self.model.verdict(fingerprint, amount, known, order.accounts, windows)

        assert self.ask(lambda: self.jobs.hold(order, known, Terms()), twice=twice) == expected

        if expected == Held():
            assert all(self.model.left(limited) >= amount for limited in self.model.limits)
            self.model.opened(job_id, fingerprint, amount)
            job = self.do(self.jobs.read(job_id))
            assert job is not None
            self.views.append(job)

    @rule(step=steps, pick=st.integers(1, 2), number=numbers, twice=st.booleans())
    def act(self, step: str, pick: int, number: int, twice: bool) -> None:
        """Somebody does something, for instance one of the latest workers, at its turn or not.

        One rule for all: of several, most examples would leave some out.
        """
        getattr(self, step)(pick, number, twice=twice)

    def mark(self, pick: int, _: int, *, twice: bool) -> None:
        """A worker is about to submit."""
        job, book = self.view(pick)
        mine = book.epoch == job.epoch
        allowed = mine and (
            book.state == "submitting" or (book.state == "reserved" and not book.lapsed)
        )

        answer = self.ask(lambda: _true(self.jobs.mark(job)), twice=twice)

        assert (answer is True) == allowed
        if allowed:
            book.lapsed = book.lapsed and book.state == "submitting"
            book.state = "submitting"
            self.learn(pick, "submitting")

    def accept(self, pick: int, number: int, *, twice: bool) -> None:
        """Fal took it, and a worker says so."""
        job, book = self.view(pick)
        request_id = f"r{number % 5}"
        taken = any(other.request_id == request_id for other in self.model.books.values())
        expected = book.request_id == request_id or (not taken and not book.request_id)

        assert self.ask(lambda: self.jobs.accept(job, request_id), twice=twice) is expected

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

        answer = self.ask(lambda: self.jobs.renew(job, lease_ms=lease_ms), twice=twice)

        assert answer is expected
        book.lapsed = lease_ms == 0 if expected else book.lapsed

    def adopt(self, pick: int, number: int, *, twice: bool) -> None:
        """Somebody takes a job over, if its lease ran out."""
        known, book = self.view(pick)
        job_id = known.order.id
        if number % 3:
            # Its owner has stopped long ago.
            self.do(self.redis.zadd(_keys.open_jobs(UPSTREAM), {job_id: 1}, xx=True))
            book.lapsed = book.open

        job = self.do(self.jobs.adopt(job_id, UPSTREAM))

        assert (job is not None) == (book.open and book.lapsed)
        if job is not None:
            book.epoch, book.lapsed = book.epoch + 1, False
            assert (job.epoch, job.state) == (book.epoch, book.state)
            self.views.append(job)
        if twice:
            assert self.do(self.jobs.adopt(job_id, UPSTREAM)) is None

    def settle(self, pick: int, number: int, *, twice: bool) -> None:
        """A worker knows what its job costs: below, at or above the hold."""
        job, book = self.view(pick)
        charge = max(0, book.held + number % 4 - 2)
        ways = sorted(MOVES[job.state] & {"paid", "refused", "released", "unknown"})
        if not ways or (job.state == "reserved" and number % 4):
            return
        settlement = Settlement(state=ways[max(0, number % 7 - 3) % len(ways)], charge=charge)  # type: ignore[arg-type]  # narrowed by the set above
        mine = book.epoch == job.epoch
        before = mine and book.settled_to == settlement.state
        now = mine and book.state == job.state and not before

        answer = self.ask(lambda: _true(self.jobs.settle(job, settlement)), twice=twice)

        assert (answer is True) == (before or now)
        if now:
            book.state, book.settled_to = settlement.state, settlement.state
            book.charged, book.overrun = min(charge, book.held), max(0, charge - book.held)
            book.lapsed = False
        if answer and job.state != settlement.state:
            self.learn(pick, settlement.state)

    def finish(self, pick: int, number: int, *, twice: bool) -> None:
        """A worker has the pictures."""
        job, book = self.view(pick)
        pool = Seen(1 + number % 2, number % 3) if number % 4 else None
        now = book.state == "paid" and book.epoch == job.epoch
        expected = now or book.state == "finished"

        answer = self.ask(lambda: _true(self.jobs.finish(job, (), pool)), twice=twice)

        assert (answer is True) == expected
        if now:
            book.state = "finished"
            if pool and pool.count:
                self.model.markers[book.fingerprint] = pool

    @invariant()
    def the_books_are_right(self) -> None:
        """Every counter is what the jobs say, and every closed job has one entry."""
        self.do(
            self.model.compare(
                self.redis, self.budgets, self.ledger, type(self).order(upstream=UPSTREAM)
            )
        )
        self.reached.update(book.state for book in self.model.books.values())


async def _true(step: Awaitable[None]) -> bool:
    await step
    return True


def test_money_moves_as_the_model_says(
    url: str, order: Callable[..., Order], model: Callable[[], Any]
) -> None:
    reached: set[State] = set()
    given = {"url": url, "order": staticmethod(order), "new_model": staticmethod(model)}
    there = type("There", (Money,), given | {"reached": reached})
    calm = settings(
        max_examples=EXAMPLES,
        stateful_step_count=LENGTH,
        derandomize=True,
        database=None,
        deadline=None,
        # A failure is told at once; with Phase.shrink it takes minutes and is told shortly.
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run(there, settings=calm)

    assert reached == set(MOVES)
