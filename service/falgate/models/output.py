"""What fal's image models answer: a list of files."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ImageFile(msgspec.Struct, frozen=True, kw_only=True):
    """fal's ImageFile."""

    url: Annotated[
        str,
        Meta(title="Url", description="The URL where the file can be downloaded from."),
    ]
    content_type: Annotated[
        str | None,
        Meta(
            title="Content Type", description="The mime type of the file.", examples=["image/png"]
        ),
    ] = None
    file_name: Annotated[
        str | None,
        Meta(
            title="File Name",
            description="The name of the file. It will be auto-generated if not provided.",
        ),
    ] = None
    file_size: Annotated[
        int | None,
        Meta(title="File Size", description="The size of the file in bytes.", examples=[4404019]),
    ] = None
    width: Annotated[
        int | None,
        Meta(title="Width", description="The width of the image", examples=[1024]),
    ] = None
    height: Annotated[
        int | None,
        Meta(title="Height", description="The height of the image", examples=[1024]),
    ] = None


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What an app gets."""

    images: Annotated[list[ImageFile], Meta(title="Images", description="The generated images.")]
