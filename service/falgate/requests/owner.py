"""Whose a request is: it is shown to its own app and to nobody else."""

import msgspec

from falgate.accounts.apikey import KeyRecord, Kind
from falgate.jobs.request import RequestSpec


class Owner(msgspec.Struct, frozen=True):
    """An app, and which of its two worlds: what a test key asked is not a live key's to see."""

    kind: Kind
    team: str
    app: str

    def owns(self, asked: RequestSpec) -> bool:
        """Whether a request is this app's."""
        return (asked.kind, asked.team, asked.app) == (self.kind, self.team, self.app)


def of_key(key: KeyRecord) -> Owner:
    """Whose requests a key may see."""
    return Owner(key.kind, key.team, key.app)
