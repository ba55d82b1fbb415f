"""Sampling: which of many equal events are logged."""


class Sampler:
    """Picks a fixed share of events, evenly spread."""

    def __init__(self, share: float = 1.0) -> None:
        """Pick this share of all events, from 0 for none to 1 for all."""
        self._share = share
        self._seen = 0

    def picks(self) -> bool:
        """Return whether the next event is picked."""
        if self._share >= 1:
            return True
        before = int(self._seen * self._share)
        self._seen += 1
        return int(self._seen * self._share) > before
