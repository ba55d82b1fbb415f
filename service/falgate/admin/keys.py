"""Administration of keys: create, change, rotate and revoke. A key's record is never removed."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from falgate.accounts import apikey
from falgate.accounts.apikey import KeyRecord, Kind, Permissions
from falgate.accounts.directory import Directory, aliases_of
from falgate.accounts.limits import NONE, Limits
from falgate.admin import key_checks
from falgate.admin.context import AdminContext, change, check
from falgate.core.problems import Conflict, Invalid, NotFound

OVERLAP_S = 86_400
OVERLAP_S_MAX = 90 * 86_400

_EVERYTHING = Permissions()
_SETTINGS = ("name", "expires_s", "disabled", "permissions", "limits")


class Made(msgspec.Struct, frozen=True):
    """A new key, or a key with a new secret.

    Attributes:
        key: The full key, which can never be shown again.
        record: The stored record.
    """

    key: str
    record: KeyRecord

    def __repr__(self) -> str:
        """Omit the secret."""
        return f"Made({self.record.id})"


class Keys:
    """All keys."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    async def all(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """Return all keys, or those of a team or of a "team/app", oldest first.

        Args:
            of: A team or a "team/app"; "" for all.
            after: Continue behind this `KeyRecord.place`.
            number: Maximum number; None for all.
        """
        return await self._context.records.keys(of, after=after, number=number)

    async def show(self, key_id: str) -> KeyRecord:
        """Return a key's record.

        Raises:
            NotFound: There is no such key.
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
        disabled: bool = False,
        key_id: bytes = b"",
    ) -> Made:
        """Create a key.

        Args:
            app: The app that uses it, "team/app".
            kind: Live or test; test keys only ever reach the sandbox.
            name: A note for people.
            expires_s: When it expires, seconds since 1970; 0 for never.
            permissions: What it may request.
            limits: Its rate limits.
            disabled: Whether it cannot be used yet.
            key_id: `ID_BYTES` for its public id; empty for random ones.

        Raises:
            Invalid: A value is invalid, such as a model that is not served.
            NotFound: There is no such app.
            Conflict: There is a key with this id.
        """
        directory = await self._context.records.directory()
        if app not in directory.apps:
            raise NotFound(f"There is no app {app}; create it first")
        team, _, app_name = app.partition("/")
        key = apikey.mint(
            kind,
            key_id or self._context.randomness(apikey.ID_BYTES),
            self._context.randomness(apikey.SECRET_BYTES),
        )
        presented = apikey.minted(key)
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
            disabled=disabled,
        )
        record = self._checked(record, now_s, directory)
        if not await self._context.records.put_key(None, record, self._context.who):
            raise Conflict(f"There is a key {record.id} already")
        return Made(key, record)

    async def change(self, key_id: str, how: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        """Change a key's name, expiry, permissions, limits, or whether it is disabled.

        Raises:
            Invalid: A value is invalid, such as an expiry in the past.
            NotFound: There is no such key.
            Conflict: It was revoked, or others keep changing it at the same time.
        """
        now_s = await self._context.records.now_s()
        directory = await self._context.records.directory()

        def changed(was: KeyRecord) -> KeyRecord:
            now = how(was)
            settings = {name: getattr(now, name) for name in _SETTINGS}
            assert replace(was, **settings) == now, "only settings of a key can be changed"
            if was.revoked_s:
                raise Conflict("This key was revoked, which is for ever; create a new one")
            if now == was:
                return was
            return self._checked(now, now_s, directory, was)

        return await self._replace(key_id, changed)

    async def revoke(self, key_id: str) -> KeyRecord:
        """Revoke a key for ever, on every instance at once; a repeat changes nothing.

        Raises:
            NotFound: There is no such key.
            Conflict: Others keep changing it at the same time.
        """
        now_s = await self._context.records.now_s()
        return await self._replace(
            key_id, lambda was: was if was.revoked_s else replace(was, revoked_s=now_s)
        )

    async def rotate(self, key_id: str, overlap_s: int = OVERLAP_S) -> Made:
        """Give a key a new secret; a secret before the current one stops working at once.

        Args:
            key_id: The key.
            overlap_s: How long the current secret stays valid, seconds.

        Raises:
            Invalid: The overlap is negative or longer than `OVERLAP_S_MAX`.
            NotFound: There is no such key.
            Conflict: It was revoked, or others keep changing it at the same time.
        """
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise Invalid(f"The overlap must be between 0 and {OVERLAP_S_MAX} seconds")
        secret = self._context.randomness(apikey.SECRET_BYTES)
        now_s = await self._context.records.now_s()
        keys: list[str] = []

        def rotated(was: KeyRecord) -> KeyRecord:
            if was.revoked_s:
                raise Conflict("This key was revoked, which is for ever; create a new one")
            keys.append(apikey.remint(was.kind, was.id, secret))
            return was.rotated(apikey.minted(keys[-1]).digest, overlap_s, now_s)

        record = await self._replace(key_id, rotated)
        return Made(keys[-1], record)

    async def _replace(self, key_id: str, how: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        return await change(
            lambda: self.show(key_id),
            how,
            lambda was, now: self._context.records.put_key(was, now, self._context.who),
        )

    def _checked(
        self, record: KeyRecord, now_s: int, directory: Directory, was: KeyRecord | None = None
    ) -> KeyRecord:
        check(record)
        if was is None or record.expires_s != was.expires_s:
            key_checks.check_expiry(record.expires_s, now_s)
        if was is None or record.permissions != was.permissions:
            aliases = aliases_of(directory, f"{record.team}/{record.app}")
            permissions = key_checks.checked(record.permissions, self._context.models, aliases)
            record = replace(record, permissions=permissions)
        key_checks.check_note(record.name)
        return record
