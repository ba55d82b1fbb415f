"""A closed job that is older than it is."""

from falgate.billing.closed_job import ClosedJob


class Aged(ClosedJob, frozen=True, kw_only=True):
    """The same job, closed ten days earlier."""

    @property
    def at_ms(self) -> int:
        """Ten days before its entry."""
        return int(self.entry.partition("-")[0]) - 10 * 86_400_000
