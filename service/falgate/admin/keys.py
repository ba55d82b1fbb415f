"""Keys of apps: made, looked at, changed, rotated and revoked. A key is never removed."""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.accounts.limits import NONE, Limits
from falgate.admin import key_checks
from falgate.admin.context import AdminContext, change, check
from falgate.core.problems import Conflict, Invalid, NotFound
from falgate.models.spec import ModelSpec

OVERLAP_S = 86_400
OVERLAP_S_MAX = 90 * 86_400

_EVERYTHING = Permissions()
_SETTINGS = ("name", "expires_s", "disabled", "permissions", "limits")


class Made(msgspec.Struct, frozen=True):
    """A key that was just made, or made anew.

    Attributes:
        key: All of it: it can never be shown again.
        record: What is kept of it.
    """

    key: str
    record: KeyRecord

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Made({self.record.id})"


class Keys:
    """Every key."""

    def __init__(
        self,
        context: AdminContext,
        models: Mapping[str, ModelSpec],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._context = context
        self._models = models
        self._randomness = randomness

    async def all(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """All of them, or those of one team or of one "team/app"; the oldest first.

        With `after`, those behind a `KeyRecord.place`; with a number, so many at most.
        """
        return await self._context.records.keys(of, after=after, number=number)

    async def show(self, key_id: str) -> KeyRecord:
        """One of them.

        Raises:
            NotFound: There is none of that id.
        """
        return await self._context.key(key_id)

    async def create(
        self,
        app: str,
        *,
        kind: Kind = "live",
        name: str = "",
        expires_s: int = 0,
        permissions: Permissions = _EVERYTHING,
        limits: Limits = NONE,
    ) -> Made:
        """Make one.

        Args:
            app: "team/app": who uses it.
            kind: Test keys only ever reach the sandbox.
            name: A note for people.
            expires_s: From when on it may not be used any more, seconds since 1970; 0: never.
            permissions: What it may ask for.
            limits: On its pace.

        Raises:
            Invalid: Something makes no sense, such as a model that is not served.
            NotFound: There is no such app.
        """
        if app not in (await self._context.records.directory()).apps:
            raise NotFound(f"There is no app {app}; make it first")
        team, _, app_name = app.partition("/")
        key = apikey.mint(
            kind,
            self._randomness(apikey.ID_BYTES),
            self._randomness(apikey.SECRET_BYTES),
        )
        presented = _presented(key)
        now_s = await self._context.records.now_s()
        record = KeyRecord(
            id=presented.id,
            kind=kind,
            digest=presented.digest,
            team=team,
            app=app_name,
            name=name,
            created_s=now_s,
            expires_s=expires_s,
            permissions=permissions,
            limits=limits,
        )
        record = self._checked(record, now_s)
        if not await self._context.records.put_key(None, record, self._context.who):
            raise Conflict("There is a key of this id already; try again")
        return Made(key, record)

    async def change(self, key_id: str, how: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        """Change a key's name, expiry, permissions, limits, or whether it is disabled.

        Raises:
            Invalid: Something makes no sense, such as an expiry in the past.
            NotFound: There is none of that id.
            Conflict: It was revoked, or somebody else changes it all the time.
        """
        now_s = await self._context.records.now_s()

        def changed(was: KeyRecord) -> KeyRecord:
            now = how(was)
            settings = {name: getattr(now, name) for name in _SETTINGS}
            assert replace(was, **settings) == now, "the rest of a key is not for setting"
            if now == was:
                return was
            if was.revoked_s:
                raise Conflict("This key was revoked, which is for ever; make another one")
            return self._checked(now, now_s, was)

        return await change(
            lambda: self.show(key_id),
            changed,
            lambda was, now: self._context.records.put_key(was, now, self._context.who),
        )

    async def revoke(self, key_id: str) -> KeyRecord:
        """End the use of a key for ever, on every instance at once. Again: nothing changes.

        Raises:
            NotFound: There is none of that id.
            Conflict: Somebody else changes it all the time.
        """
        now_s = await self._context.records.now_s()
        return await change(
            lambda: self.show(key_id),
            lambda was: was if was.revoked_s else replace(was, revoked_s=now_s),
            lambda was, now: self._context.records.put_key(was, now, self._context.who),
        )

    async def rotate(self, key_id: str, overlap_s: int = OVERLAP_S) -> Made:
        """Give a key a new secret, under its id; a secret before the present one ends at once.

        Args:
            key_id: Which.
            overlap_s: How long the present secret stays good; 0: not at all.

        Raises:
            Invalid: An overlap that is negative or longer than `OVERLAP_S_MAX`.
            NotFound: There is none of that id.
            Conflict: It was revoked, or somebody else changes it all the time.
        """
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise Invalid(f"An overlap is 0 to {OVERLAP_S_MAX} seconds")
        secret = self._randomness(apikey.SECRET_BYTES)
        now_s = await self._context.records.now_s()
        keys: list[str] = []

        def rotated(was: KeyRecord) -> KeyRecord:
            if was.revoked_s:
                raise Conflict("This key was revoked, which is for ever; make another one")
            keys.append(apikey.remint(was.kind, was.id, secret))
            return replace(
                was,
                digest=_presented(keys[-1]).digest,
                previous_digest=was.digest if overlap_s else "",
                previous_until_s=now_s + overlap_s if overlap_s else 0,
            )

        record = await change(
            lambda: self.show(key_id),
            rotated,
            lambda was, now: self._context.records.put_key(was, now, self._context.who),
        )
        return Made(keys[-1], record)

    def _checked(self, record: KeyRecord, now_s: int, was: KeyRecord | None = None) -> KeyRecord:
        check(record)
        if was is None or record.expires_s != was.expires_s:
            key_checks.check_expiry(record.expires_s, now_s)
        if was is None or record.permissions != was.permissions:
            permissions = key_checks.checked(record.permissions, self._models)
            record = replace(record, permissions=permissions)
        key_checks.check_note(record.name)
        return record


def _presented(key: str) -> apikey.Presented:
    presented = apikey.present(key)
    assert presented is not None
    return presented
