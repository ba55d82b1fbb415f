"""What accounts need of their records; each method raises `Unavailable` without Redis."""

from collections.abc import AsyncIterator
from typing import Protocol

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import App, Directory, Team
from falgate.core.change import Audited


class Records(Protocol):
    """Teams, apps and keys. Every put writes the audit log, and is False where it came too late."""

    async def directory(self) -> Directory:
        """Every team and app."""

    async def key(self, key_id: str) -> tuple[KeyRecord | None, int, Directory]:
        """One key, the time in seconds, and every team and app."""

    async def keys(
        self, of: str = "", *, after: str = "", number: int | None = None
    ) -> list[KeyRecord]:
        """Keys of a "team" or "team/app" or of all, behind a place, so many; the oldest first."""

    async def put_team(self, name: str, was: Team | None, now: Team | None, who: str) -> bool:
        """Make, change or (with None) remove a team that is as it `was`."""

    async def put_app(self, name: str, was: App | None, now: App | None, who: str) -> bool:
        """Likewise an app, by "team/app"."""

    async def put_key(self, was: KeyRecord | None, now: KeyRecord, who: str) -> bool:
        """Likewise a key; keys are never removed."""

    def audit(self, *, before: str = "+") -> AsyncIterator[Audited]:
        """The audit log, the newest first, from just before an entry's id."""

    async def now_s(self) -> int:
        """The clock that decides, seconds since 1970."""
