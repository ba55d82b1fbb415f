"""Who is identified by a key, and what a session that it began still is worth."""
# ruff: noqa: D102 - the port says what each method does

import pytest
from msgspec.structs import replace

from falgate.accounts import apikey
from falgate.accounts.operator import Operator, OperatorRecord
from falgate.accounts.wrong_keys import WrongKeys
from falgate.admin.access import Access
from falgate.core.errors import TooMany
from falgate.core.problems import Forbidden, Unauthorized

NOW_S = 1_800_000_000
ADDRESS = "192.0.2.1"
ADMIN_KEY = apikey.mint("admin", b"\x01" * apikey.ID_BYTES, b"\x02" * apikey.SECRET_BYTES)
KEY = apikey.mint("oper", b"\x03" * apikey.ID_BYTES, b"\x04" * apikey.SECRET_BYTES)
NEW_KEY = apikey.mint("oper", b"\x03" * apikey.ID_BYTES, b"\x05" * apikey.SECRET_BYTES)
APP_KEY = apikey.mint("live", b"\x03" * apikey.ID_BYTES, b"\x04" * apikey.SECRET_BYTES)


def digest(key: str) -> str:
    presented = apikey.present(key)
    assert presented is not None
    return presented.digest


def record(key: str = KEY) -> OperatorRecord:
    presented = apikey.present(key)
    assert presented is not None
    return OperatorRecord(
        id=presented.id, digest=presented.digest, name="lea", created_s=1, role="lead", team="web"
    )


class Known:
    """Operators, and the ids that a throttle asks for."""

    def __init__(self, *records: OperatorRecord) -> None:
        self.records = {each.id: each for each in records}

    async def get(self, operator_id: str) -> tuple[OperatorRecord | None, int]:
        return self.records.get(operator_id), NOW_S

    async def all(self) -> list[OperatorRecord]:
        return list(self.records.values())

    async def put(self, was: OperatorRecord | None, now: OperatorRecord, who: str) -> bool:
        raise NotImplementedError((was, now, who))

    async def ids(self) -> frozenset[str]:
        return frozenset(self.records)


def access(known: Known, admin_key: str = ADMIN_KEY) -> Access:
    return Access(admin_key, known, WrongKeys(known, clock=lambda: 0.0))


async def test_a_key_is_an_operator_and_never_tells_its_secret() -> None:
    found = await access(Known(record())).identify(KEY, ADDRESS)

    assert (found.who, found.role, found.team) == ("lead:lea", "lead", "web")
    assert (found.id, found.prompts) == (record().id, False)
    assert found.mark
    assert found.mark not in digest(KEY)
    assert await access(Known(record())).present(found.id, found.mark) == found


async def test_the_setting_is_the_first_admin() -> None:
    found = await access(Known()).identify(ADMIN_KEY, ADDRESS)

    assert found == access(Known()).first
    assert (found.who, found.role, found.prompts) == ("admin", "admin", True)
    assert await access(Known()).present(found.id, found.mark) == found


@pytest.mark.parametrize("key", ["", "x", APP_KEY, KEY, NEW_KEY, KEY.replace("oper", "admin")])
async def test_nothing_else_is(key: str) -> None:
    known = Known() if key == KEY else Known(record())
    with pytest.raises((Unauthorized, Forbidden)) as refused:
        await access(known).identify(key, ADDRESS)

    assert not key or key not in str(refused.value)
    assert isinstance(refused.value, Forbidden) == (key == APP_KEY)


async def test_without_the_setting_nobody_gets_in_and_no_session_goes_on() -> None:
    closed = access(Known(record()), admin_key="")
    opened = await access(Known(record())).identify(KEY, ADDRESS)

    with pytest.raises(Forbidden, match="FALGATE_ADMIN_KEY"):
        await closed.identify(KEY, ADDRESS)
    assert await closed.present(opened.id, opened.mark) is None
    assert await closed.present("", "") is None
    assert closed.first is None


@pytest.mark.parametrize(
    "change", [{"revoked_s": 1}, {"disabled": True}, {"expires_s": NOW_S}, {"digest": "other"}]
)
async def test_a_key_that_ended_opens_nothing_and_ends_its_sessions(
    change: dict[str, object],
) -> None:
    known = Known(record())
    found = await access(known).identify(KEY, ADDRESS)
    known.records[found.id] = replace(record(), **change)

    with pytest.raises(Unauthorized):
        await access(known).identify(KEY, ADDRESS)
    assert await access(known).present(found.id, found.mark) is None


async def test_a_session_outlives_a_rotation_as_long_as_its_secret() -> None:
    known = Known(record())
    found = await access(known).identify(KEY, ADDRESS)
    known.records[found.id] = record().rotated(digest(NEW_KEY), 60, NOW_S)

    assert await access(known).present(found.id, found.mark) == found
    later = await access(known).identify(NEW_KEY, ADDRESS)
    known.records[found.id] = record().rotated(digest(NEW_KEY), 60, NOW_S - 60)
    assert await access(known).present(found.id, found.mark) is None
    assert await access(known).present(later.id, later.mark) == later


async def test_another_admin_key_ends_the_first_admins_sessions() -> None:
    first: Operator = await access(Known()).identify(ADMIN_KEY, ADDRESS)
    same_id = apikey.mint("admin", b"\x01" * apikey.ID_BYTES, b"\x09" * apikey.SECRET_BYTES)

    assert await access(Known(), same_id).present(first.id, first.mark) is None
    assert await access(Known(), ADMIN_KEY).present(first.id, "") is None


async def test_guessing_is_throttled_and_a_valid_key_still_works() -> None:
    door = access(Known(record()))
    for _ in range(100):
        with pytest.raises(Unauthorized):
            await door.identify(NEW_KEY[:-1] + "0", ADDRESS)

    with pytest.raises(TooMany):
        await door.identify(NEW_KEY[:-1] + "0", ADDRESS)
    assert (await door.identify(KEY, ADDRESS)).who == "lead:lea"
    assert (await door.identify(ADMIN_KEY, ADDRESS)).who == "admin"


def test_no_record_of_a_key_quotes_more_than_its_digest() -> None:
    assert KEY.split("_")[3] not in repr(record())
