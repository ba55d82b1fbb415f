"""What a change would do, in plain sentences, and whether it can be undone."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import DEFAULT_MODEL, Alias, Model
from falgate.admin.rehearsal import Action, Rehearsed
from falgate.core.account import account
from falgate.core.money import dollars
from falgate.money.budget import Position
from falgate.money.stop import Stop

Words = Callable[[Any], str]
_SHARING = {"org": "the whole organisation", "team": "the team's apps", "app": "the app alone"}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in sorted(value.items())) or "none"
    return str(value) if value not in (None, "") else "none"


def _limit(value: Any) -> str:
    return str(value) if value else "no limit"


def _any(value: Any) -> str:
    return _plain(value) if value else "any"


def _age(value: Any) -> str:
    return f"{value} seconds" if value else "any age"


def _time(value: Any) -> str:
    if not value:
        return "never"
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"


def _own(value: Any) -> str:
    return _plain(value) if value else "what its own file says"


_FIELDS: Mapping[str, tuple[str, Words]] = {
    "limits.requests_per_second": ("limit on requests per second", _limit),
    "limits.generations_per_minute": ("limit on purchases per minute", _limit),
    "limits.generations_at_once": ("limit on purchases at once", _limit),
    "weight": ("weight among teams that wait for a turn", _plain),
    "waiting_generations": ("limit on purchases that wait for a turn", _limit),
    "cache.scope": ("sharing of pictures", lambda value: _SHARING.get(value, "none")),
    "cache.max_age_s": ("largest age of cached pictures", _age),
    "cache.freshness": ("answer to requests that do not mention the cache", _plain),
    "cache.derive": ("conversion of PNG to JPEG and WebP", _plain),
    "cache.identical": ("treatment of identical requests at once", _plain),
    "cache.callers_may": ("list of what callers may override", _plain),
    "cache.ignore_freshness": ("switch to ignore no-cache, no-store and max-age", _plain),
    "cache.keep_prompts": ("storage of prompts", _plain),
    "aliases": ("list of own aliases", _plain),
    "afterwards": ("course after a model's end", _plain),
    "permissions.models": ("list of allowed models", _any),
    "permissions.qualities": ("list of allowed qualities", _any),
    "permissions.sizes": ("list of allowed sizes", _any),
    "permissions.networks": ("list of allowed networks", _any),
    "permissions.pictures_max": ("limit on pictures in a request", _limit),
    "permissions.inputs_max": ("limit on input pictures in a request", _limit),
    "permissions.input_bytes_max": ("limit on bytes of input pictures in a request", _limit),
    "permissions.fresh": ("permission to buy afresh", _plain),
    "permissions.derive": ("conversion of PNG to JPEG and WebP", _plain),
    "name": ("name", _plain),
    "expires_s": ("expiry", _time),
    "successor": ("successor", _own),
}
"""By path in a record: what a field is called, and how a value of it is spelt."""

_SPELT = frozenset({"disabled", "revoked_s", "digest", "previous_digest", "previous_until_s"})
"""Fields of a key that have a sentence of their own."""

_OF_END = frozenset({"retires", "afterwards"})
"""Those of a model."""

_BORN = ("id", "kind", "digest", "team", "app", "created_s")
"""The fields that a key always has."""


def is_final(change: Rehearsed) -> bool:
    """Return whether a change cannot be undone."""
    before, after = change.before, change.after
    match change.action:
        case "key" if before is not None:
            return bool(after.revoked_s or after.digest != before.digest)
        case "team" | "app":
            return after is None
        case "reset":
            return True
    return False


def says(change: Rehearsed) -> list[str]:
    """Return what a change would do, one plain sentence each; none if it changes nothing."""
    before, after = change.before, change.after
    if before == after:
        return []
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
        yield f"{_capital(what)} is removed, with its settings."
        yield "What it spent stays in the ledger."
    elif before is None:
        yield f"{_capital(what)} is made."
        yield from _differences("", type(after)(), after)
    else:
        yield from _differences(what, before, after)


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
    yield from _differences(endpoint, before, after, apart=_OF_END)


def _of_alias(name: str, _: Alias | None, after: Alias | None) -> Iterator[str]:
    yield f"Apps that call {name} get {after.target if after else 404} from now on."


def _of_key(_: str, before: KeyRecord | None, after: KeyRecord) -> Iterator[str]:
    app = f"{after.team}/{after.app}"
    if before is None:
        reach = "buys from fal" if after.kind == "live" else "only ever reaches the sandbox"
        yield f"A {after.kind} key of {app} is made, which {reach}; it is shown once."
        kept = {name: getattr(after, name) for name in _BORN}
        yield from _differences("", KeyRecord(name="", **kept), after)
        return
    what = f"key {after.id} of {app}"
    if after.revoked_s and not before.revoked_s:
        yield f"{_capital(what)} stops working for ever, on every instance at once."
    if after.disabled and not before.disabled:
        yield f"{_capital(what)} is disabled: requests with it get 403 until it is enabled again."
    if before.disabled and not after.disabled:
        yield f"{_capital(what)} is enabled: requests with it are answered again."
    if after.digest != before.digest:
        yield f"{_capital(what)} gets a new secret, which is shown once."
        yield (
            f"Its present secret works until {_time(after.previous_until_s)}."
            if after.previous_digest
            else "Its present secret stops working at once."
        )
        if before.previous_digest:
            yield "The secret before the present one stops working at once."
    yield from _differences(what, before, after)


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


def _differences(
    what: str, before: Any, after: Any, *, apart: frozenset[str] = _SPELT
) -> Iterator[str]:
    """Yield a sentence for each field that differs; a new record has no name for it yet, ""."""
    was = flat(before)
    for path, value in flat(after).items():
        if was.get(path) == value or path in apart:
            continue
        words, spell = _FIELDS.get(path, (path.rpartition(".")[2].replace("_", " "), _plain))
        if what:
            old, new = spell(was.get(path)), spell(value)
            yield f"The {words} of {what} becomes {new}; it was {old}."
        else:
            yield f"Its {words} is {spell(value)}."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def flat(record: Any) -> dict[str, Any]:
    """Return the fields of a record by their paths, such as "limits.generations_at_once"."""
    found: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, msgspec.Struct):
            found |= {f"{name}.{path}": each for path, each in flat(value).items()}
        else:
            found[name] = value
    return found


_SENTENCES: Mapping[Action, Callable[..., Iterator[str]]] = {
    "team": _of_team,
    "app": _of_app,
    "model": _of_model,
    "alias": _of_alias,
    "key": _of_key,
    "budget": _of_budget,
    "raise": _of_raise,
    "reset": _of_reset,
    "stop": _of_stop,
    "overage": _of_overage,
}
