"""What the last comparison of a described model with fal found."""

import msgspec

from falgate.models.described.drift import Difference


class ModelDrift(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one model.

    Attributes:
        at_ms: Redis's time of the comparison.
        differences: What differs.
        stopped: Digest of the differences for which the model was stopped last, or "".
    """

    at_ms: int
    differences: tuple[Difference, ...] = ()
    stopped: str = ""

    @property
    def level(self) -> int:
        """Return 0 if nothing differs, 1 if only what is harmless does, else 2."""
        return 2 if self.changed else min(1, len(self.differences))

    @property
    def changed(self) -> tuple[Difference, ...]:
        """Return the differences that may change what is sold."""
        return tuple(each for each in self.differences if not each.harmless)
