"""Admission: whose key it is, which model, and which pool a body belongs to."""
# ruff: noqa: D102 - the ports say what their methods do

import json
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from falgate.accounts.apikey import KeyRecord, Permissions, mint, present
from falgate.accounts.directory import App, Directory, Model, Team
from falgate.accounts.limits import NONE, Exceeded, Limits, PurchaseLimits, PurchaseRates
from falgate.accounts.wrong_keys import WrongKeys
from falgate.cache.fingerprint import fingerprint
from falgate.core.errors import (
    InputRejected,
    KeyMalformed,
    KeyRefused,
    KeyUnknown,
    ModelUnknown,
    NotAllowed,
    Refusal,
    TooMany,
    Unavailable,
)
from falgate.jobs import admission, authentication
from falgate.models.endpoints import MODELS

ENDPOINT = "fal-ai/gpt-image-1.5"
NOW_S = 1_000
KEY = mint("live", bytes(8), bytes(range(32)))
OTHER_SECRET = mint("live", bytes(8), bytes(32))


def record_of(key: str, kind: Literal["live", "test"] = "live") -> KeyRecord:
    presented = present(key)
    assert presented is not None
    return KeyRecord(
        id=presented.id,
        kind=kind,
        digest=presented.digest,
        team="red",
        app="shop",
        name="",
        created_s=0,
    )


class World:
    """The ports that authentication asks: keys by their ids, and rates."""

    def __init__(self, *records: KeyRecord) -> None:
        self.records = {record.id: record for record in records}
        self.looks, self.let_through, self.wrong_keys = 0, 0, WrongKeys()
        self.away, self.rates_away = False, False
        apps = {"red/shop": App(), "blue/blog": App()}
        self.directory = Directory(1, {"red": Team(), "blue": Team()}, apps)
        self.limited: list[dict[str, int]] = []
        self.exceeded: Exceeded | None = None

    @property
    def keys(self) -> "World":
        return self

    @property
    def facts(self) -> "World":
        return self

    @property
    def rates(self) -> "World":
        return self

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        self.looks += 1
        if self.away:
            raise Unavailable("away")
        return self.records.get(key_id), NOW_S, self.directory

    async def take(self, limited: dict[str, int]) -> Exceeded | None:
        self.limited.append(limited)
        if self.rates_away:
            raise Unavailable("away")
        return self.exceeded

    def unchecked(self) -> None:
        self.let_through += 1


async def authenticate(
    world: Any, authorization: str | None, address: str = "192.0.2.1"
) -> KeyRecord:
    return (await authentication.authenticate(world, authorization, address)).key


@pytest.mark.parametrize("scheme", ["Key", "Bearer", "key"])
async def test_a_known_key_is_let_in(scheme: str) -> None:
    world = World(record_of(KEY))

    assert await authenticate(world, f"{scheme} {KEY}") == record_of(KEY)
    assert world.limited == []


RECORD = record_of(KEY)
REFUSED: dict[str, tuple[list[KeyRecord], str | None, type[Refusal], int]] = {
    # records, header, refusal, looks at Redis
    "no header": ([RECORD], None, KeyMalformed, 0),
    "empty header": ([RECORD], "", KeyMalformed, 0),
    "another scheme": ([RECORD], f"Basic {KEY}", KeyMalformed, 0),
    "a bare key": ([RECORD], KEY, KeyMalformed, 0),
    "fal's own key": ([RECORD], "Key id:secret", KeyUnknown, 0),
    "a slip of the pen": ([RECORD], f"Key {KEY[:-1]}", KeyUnknown, 0),
    "nobody's": ([], f"Key {KEY}", KeyUnknown, 1),
    "another secret": ([RECORD], f"Key {OTHER_SECRET}", KeyUnknown, 1),
    "another kind": ([record_of(KEY, "test")], f"Key {KEY}", KeyUnknown, 1),
    "revoked": ([replace(RECORD, revoked_s=1)], f"Key {KEY}", KeyRefused, 1),
    "disabled": ([replace(RECORD, disabled=True)], f"Key {KEY}", KeyRefused, 1),
    "expired": ([replace(RECORD, expires_s=NOW_S)], f"Key {KEY}", KeyRefused, 1),
    "elsewhere": (
        [replace(RECORD, permissions=Permissions(networks=("10.0.0.0/8",)))],
        f"Key {KEY}",
        NotAllowed,
        1,
    ),
} | {
    f"{state}, with another secret": ([record], f"Key {OTHER_SECRET}", KeyUnknown, 1)
    for state, record in {
        "revoked": replace(RECORD, revoked_s=1),
        "disabled": replace(RECORD, disabled=True),
        "expired": replace(RECORD, expires_s=NOW_S),
    }.items()
}


@pytest.mark.parametrize(("records", "header", "refusal", "looks"), REFUSED.values(), ids=REFUSED)
async def test_nobody_else_is(
    records: list[KeyRecord], header: str | None, refusal: type[Refusal], looks: int
) -> None:
    """What is not a key of ours by its form costs no look at Redis."""
    world = World(*records)

    with pytest.raises(refusal) as refused:
        await authenticate(world, header)

    assert type(refused.value) is refusal
    assert world.looks == looks
    assert KEY.split("_")[3] not in repr(refused.value.body())


async def test_an_administrator_s_key_is_no_key_of_an_app() -> None:
    admin = mint("admin", bytes(8), bytes(range(32)))

    with pytest.raises(KeyUnknown):
        await authenticate(World(RECORD), f"Key {admin}")


async def test_without_redis_nobody_is_let_in() -> None:
    world = World(RECORD)
    world.away = True

    with pytest.raises(Unavailable):
        await authenticate(world, f"Key {KEY}")


def test_a_model_is_found_by_its_endpoint() -> None:
    assert admission.find_model(MODELS, ENDPOINT) is MODELS[ENDPOINT]


@pytest.mark.parametrize(
    ("endpoint", "named"), [("fal-ai/nothing", "nothing"), ("nothing", "nothing"), ("a/b/c", "b/c")]
)
def test_an_unknown_model_is_named_by_its_alias(endpoint: str, named: str) -> None:
    with pytest.raises(ModelUnknown, match=f'Application "{named}" not found'):
        admission.find_model(MODELS, endpoint)


def admit(
    body: dict[str, Any], key: KeyRecord = RECORD, upstream: str = "fal"
) -> admission.AdmittedRequest:
    caller, spec = admission.permit(key, World().directory, 0), MODELS[ENDPOINT]
    return admission.admit(
        caller,
        spec,
        admission.read(caller, spec, json.dumps(body).encode(), "application/json"),
        upstream=upstream,
        derives=True,
        headers={},
        request_id="r",
    )


def test_a_body_becomes_a_call_with_its_pool() -> None:
    call = admit({"prompt": "a cat", "num_images": 3})

    assert (call.wanted, call.upstream, call.key, call.request_id) == (3, "fal", RECORD, "r")
    assert call.fingerprint == fingerprint(
        call.spec, call.arguments, upstream="fal", scope="organisation"
    )
    assert call.dropped == 0


def test_pictures_of_another_upstream_are_in_another_pool() -> None:
    live = admit({"prompt": "a cat"})
    test = admit({"prompt": "a cat"}, record_of(KEY, "test"), "sandbox")

    assert test.upstream == "sandbox"
    assert test.fingerprint != live.fingerprint


def test_apps_of_one_organisation_share_a_pool() -> None:
    mine = admit({"prompt": "a cat"})
    theirs = admit({"prompt": "a cat"}, replace(RECORD, id="x", app="blog", team="blue"))

    assert mine.fingerprint == theirs.fingerprint


def test_unknown_fields_are_left_out_and_counted() -> None:
    call = admit({"prompt": "a cat", "seed": 1, "style": "x"})

    assert call.fingerprint == admit({"prompt": "a cat"}).fingerprint
    assert call.dropped == 2


def test_a_body_that_breaks_the_schema_becomes_no_call() -> None:
    with pytest.raises(InputRejected):
        admit({"num_images": 9})


async def test_the_secret_before_a_rotation_is_good_until_its_time() -> None:
    after = present(OTHER_SECRET)
    assert after is not None
    rotated = replace(
        RECORD, digest=after.digest, previous_digest=RECORD.digest, previous_until_s=NOW_S + 1
    )

    for key in (KEY, OTHER_SECRET):
        assert await authenticate(World(rotated), f"Key {key}") == rotated
    over = replace(rotated, previous_until_s=NOW_S)
    assert await authenticate(World(over), f"Key {OTHER_SECRET}") == over
    with pytest.raises(KeyUnknown):
        await authenticate(World(over), f"Key {KEY}")


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"])
async def test_a_key_is_let_in_from_its_own_networks(address: str) -> None:
    permissions = Permissions(networks=("10.0.0.0/8", "2001:db8::/32"))
    record = replace(RECORD, permissions=permissions)

    assert await authenticate(World(record), f"Key {KEY}", address) == record


async def test_requests_are_counted_for_all_who_have_a_limit_on_them() -> None:
    world = World(replace(RECORD, limits=Limits(requests_per_second=1)))
    team = Team(limits=Limits(requests_per_second=3), weight=2, waiting_generations=4)
    app = App(limits=Limits(generations_at_once=5))
    world.directory = Directory(1, {"red": team}, {"red/shop": app})

    caller = await authentication.authenticate(world, f"Key {KEY}", "")  # type: ignore[arg-type]  # a part

    assert world.limited == [{"team:red": 3, f"key:{RECORD.id}": 1}]
    assert caller.terms.limits == (NONE, team.limits, app.limits, caller.key.limits)
    assert (caller.terms.weight, caller.terms.waiting_max) == (2, 4)


def test_a_purchase_has_the_limits_of_its_model_too() -> None:
    easel = Model(limits=PurchaseRates(generations_per_minute=6))
    directory = Directory(1, {}, {}, {"acme/easel": easel})
    terms = PurchaseLimits(weight=3)

    limited = admission.terms_for(terms, directory, "acme/easel")

    assert limited == replace(terms, model=easel.limits)
    assert admission.terms_for(terms, directory, "acme/brush") == terms


async def test_who_asks_too_often_is_told_when_to_ask_again() -> None:
    world = World(replace(RECORD, limits=Limits(requests_per_second=1)))
    world.exceeded = Exceeded("team:red", "requests_per_second", 3, 1_200)

    with pytest.raises(TooMany) as refused:
        await authenticate(world, f"Key {KEY}")

    assert (refused.value.status, refused.value.headers()["Retry-After"]) == (429, "2")


async def test_a_rate_that_cannot_be_looked_up_lets_requests_through_and_is_counted() -> None:
    world = World(replace(RECORD, limits=Limits(requests_per_second=1)))
    world.rates_away = True

    await authenticate(world, f"Key {KEY}")

    assert world.let_through == 1
