"""Arguments that fal's image models have in common, with the words of fal's schemas."""

from typing import Annotated

from msgspec import Meta

SyncMode = Annotated[
    bool,
    Meta(
        title="Sync Mode",
        description=(
            "If `True`, the media will be returned as a data URI and the output data won't be "
            "available in the request history."
        ),
    ),
]


def number(most: int) -> Meta:
    """Describe how many pictures a call may ask for: 1 to `most`."""
    return Meta(
        title="Number of Images",
        description="Number of images to generate",
        examples=[1],
        ge=1,
        le=most,
    )
