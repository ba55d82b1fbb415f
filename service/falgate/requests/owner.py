"""Ownership of queued requests: only its own app sees a request."""

import msgspec

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.jobs.request import RequestSpec


class Owner(msgspec.Struct, frozen=True):
    """An app and a kind of key: live keys do not see what test keys requested, and vice versa."""

    kind: Kind
    team: str
    app: str

    def owns(self, asked: RequestSpec) -> bool:
        """Return whether a request is this owner's."""
        return (asked.kind, asked.team, asked.app) == (self.kind, self.team, self.app)


def of_key(key: KeyRecord) -> Owner:
    """Return the owner whose requests a key may see."""
    return Owner(key.kind, key.team, key.app)
