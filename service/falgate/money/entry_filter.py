"""Which ledger entries are meant: by kind, subject, model, and by what is known of their cost."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from falgate.core.account import account

Reconciled = Literal["yes", "no"]
"""Whether a closed job was compared with fal's billing."""

Pictures = Literal["none"]
"""none: money was charged, and no picture came for it."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A filter of entries; "" matches all.

    Attributes:
        kind: Entries of this kind.
        outcome: Closing entries with this outcome.
        team: Entries of this team: its jobs, and changes of its budgets.
        app: Entries of this app, given as "team/app" or by its name alone.
        key: Entries of this key.
        model: Entries of this model: its jobs, and changes of its budgets.
        job: Entries of this job.
        pictures: See `Pictures`.
        reconciled: Closing entries only, see `Reconciled`.
    """

    kind: str = ""
    outcome: str = ""
    team: str = ""
    app: str = ""
    key: str = ""
    model: str = ""
    job: str = ""
    pictures: str = ""
    reconciled: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Texts that each matching entry has somewhere in its fields; some others have them too."""
        app = self.app.rpartition("/")[2]
        named = (self.kind, self.outcome, self.team, app, self.key, self.model, self.job)
        return tuple(word for word in named if word)

    def wants(self, fields: Mapping[str, str]) -> bool:
        """Return whether an entry matches, by its fields in the stream.

        Closing entries that are to be `reconciled`, or not, have it in a field of that name.
        """
        if (
            (self.kind and self.kind != fields.get("kind"))
            or (self.outcome and self.outcome != fields.get("outcome"))
            or (self.job and self.job != fields.get("job"))
            or (self.reconciled and self.reconciled != fields.get("reconciled"))
        ):
            return False
        subject = fields.get("account")
        level, whose = "", ""
        if subject is not None:
            found = account(subject)
            level, whose = found.level, found.id
        team = whose if level == "team" else fields.get("team", "")
        team = whose.partition("/")[0] if level == "app" else team
        app = whose if level == "app" else f"{team}/{fields.get('app', '')}"
        model = fields.get("model") or fields.get("charged_model", "")
        return (
            (not self.team or self.team == team)
            and (not self.app or self.app in {app, app.partition("/")[2]})
            and (not self.key or self.key == (whose if level == "key" else fields.get("key")))
            and (not self.model or self.model == (whose if level == "model" else model))
            and (not self.pictures or _for_nothing(fields))
        )


def _for_nothing(fields: Mapping[str, str]) -> bool:
    """Return whether an entry charges, or corrects a charge, for a job without pictures."""
    if fields.get("kind") == "close":
        charged = int(fields.get("billed", 0)) + int(fields.get("overrun", 0))
        return charged > 0 and fields.get("bought", "0") == "0"
    return int(fields.get("without_pictures", 0)) != 0
