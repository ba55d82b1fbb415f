"""What a change would do, in plain sentences, and whether it can be undone."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from falgate.accounts.directory import DEFAULT_MODEL, Alias, Model
from falgate.admin.field_words import capital, differences
from falgate.admin.key_sentences import of_key, of_operator
from falgate.admin.rehearsal import Action, Rehearsed
from falgate.core.account import account
from falgate.core.money import dollars
from falgate.money.budget import Position
from falgate.money.stop import Stop

_OF_END = frozenset({"retires", "afterwards"})
"""Those of a model."""


def is_final(change: Rehearsed) -> bool:
    """Return whether a change cannot be undone."""
    before, after = change.before, change.after
    match change.action:
        case "key" | "operator" if before is not None:
            return bool(after.revoked_s or after.digest != before.digest)
        case "team" | "app":
            return after is None
        case "reset":
            return True
    return False


def says(change: Rehearsed, live: str) -> list[str]:
    """Return what a change would do, one plain sentence each; none if it changes nothing.

    `live` is the upstream of live keys, or "".
    """
    before, after = change.before, change.after
    if before == after:
        return []
    if change.action == "key":
        return list(of_key(change.subject, before, after, live=live))
    return list(_SENTENCES[change.action](change.subject, before, after))


def _of_overage(_: str, before: int, after: int) -> Iterator[str]:
    yield f"The overage limit becomes ${dollars(after)}; it was ${dollars(before)}."
    yield "When settlements exceed their holds by more than that in all, nothing more is bought."


def _of_team(name: str, before: Any, after: Any) -> Iterator[str]:
    return _of_named(f"team {name}", before, after)


def _of_app(name: str, before: Any, after: Any) -> Iterator[str]:
    return _of_named(f"app {name}", before, after)


def _of_named(what: str, before: Any, after: Any) -> Iterator[str]:
    if after is None:
        yield f"{capital(what)} is removed, with its settings."
        yield "What it spent stays in the ledger."
    elif before is None:
        yield f"{capital(what)} is made."
        yield from differences("", type(after)(), after)
    else:
        yield from differences(what, before, after)


def _of_model(endpoint: str, was: Model | None, now: Model | None) -> Iterator[str]:
    before, after = was or DEFAULT_MODEL, now or DEFAULT_MODEL
    if before.retires != after.retires and after.retires:
        yield f"Nothing of {endpoint} is bought from {after.retires} (UTC) on."
    elif before.retires != after.retires:
        yield f"{endpoint} ends on the day that its own file says, if there is one."
    if before.afterwards != after.afterwards:
        yield (
            f"Once {endpoint} has ended, its successor serves what the cache cannot answer."
            if after.afterwards == "redirect"
            else f"Once {endpoint} has ended, what the cache cannot answer is refused with 410."
        )
    yield from differences(endpoint, before, after, apart=_OF_END)


def _of_alias(name: str, _: Alias | None, after: Alias | None) -> Iterator[str]:
    yield f"Apps that call {name} get {after.target if after else 404} from now on."


def _of_stop(name: str, before: Stop | None, after: Stop | None) -> Iterator[str]:
    subject = account(name).words
    if after is None:
        yield f"Purchases for {subject} go on, unless something wider is stopped."
    elif before is None:
        yield f"Nothing more is bought for {subject} until it is resumed, with live and test keys."
        yield "What is cached is still answered, and what is under way ends as usual."
    if after is not None and after.why != (before.why if before else ""):
        yield f"Callers are told: {after.why}" if after.why else "Callers are told no reason."


def _of_raise(_: str, before: Position, after: Position) -> Iterator[str]:
    window = after.window.kind
    yield (
        f"{_named(after)} becomes ${dollars(after.limit or 0)} for this {window} only; "
        f"it is ${dollars(before.limit or 0)}."
    )
    yield from _left(after)


def _of_reset(_: str, before: Position, after: Position) -> Iterator[str]:
    window = after.window.kind
    yield f"${dollars(before.spent)} that {after.account.words} spent in this {window} is forgiven."
    yield "The ledger keeps what was paid, and holds stay."
    yield from _left(after)


def _of_budget(_: str, before: Position, after: Position) -> Iterator[str]:
    if after.budget is None:
        yield f"{_named(after)} is removed: its spending is counted, but no longer limited by it."
    else:
        yield from _set(_named(after), before, after)
    yield from _left(after)


def _named(position: Position) -> str:
    return f"The {position.window.kind} budget of {position.account.words}"


def _left(position: Position) -> Iterator[str]:
    if position.remaining is not None:
        yield f"${dollars(position.remaining)} of it remains in this {position.window.kind}."


def _set(what: str, before: Position, after: Position) -> Iterator[str]:
    was, now = before.budget, after.budget
    assert now is not None
    if was is None:
        yield f"{what} is ${dollars(now.limit)} from now on."
    elif was.limit != now.limit:
        yield f"{what} becomes ${dollars(now.limit)}; it was ${dollars(was.limit)}."
    if before.raised and not after.raised:
        yield f"Its raise by ${dollars(before.raised)} for this window is taken back."
    if now.shadow != (was.shadow if was else False):
        yield (
            "It only counts and alerts, and refuses nothing."
            if now.shadow
            else "It refuses purchases that it cannot pay."
        )
    if now.alerts != (was.alerts if was else ()):
        at = ", ".join(f"{percent} %" for percent in now.alerts)
        yield f"It alerts at {at} of its limit." if at else "It alerts no more."
    if not now.shadow and after.spent + after.held >= (after.limit or 0):
        yield (
            f"${dollars(after.spent)} is spent and ${dollars(after.held)} held already, "
            "so that it refuses every purchase."
        )


_SENTENCES: Mapping[Action, Callable[..., Iterator[str]]] = {
    "team": _of_team,
    "app": _of_app,
    "model": _of_model,
    "alias": _of_alias,
    "operator": of_operator,
    "budget": _of_budget,
    "raise": _of_raise,
    "reset": _of_reset,
    "stop": _of_stop,
    "overage": _of_overage,
}
