"""How long it takes until a picture that was served is known to be in use."""

from falgate.pictures import access, deletion
from falgate.redis import tracking
from falgate.telemetry import hits


def test_a_deletion_waits_longer_than_the_use_of_a_picture_takes_to_be_reported() -> None:
    """Answered from memory that is about to be outdated, counted, and then reported."""
    assert deletion.HANDED_S > 2 * (tracking.CURRENT_S + hits.BATCH_S + access.EVERY_S)
