"""An input picture as arguments hold it once it was read: one string that stands for its bytes."""

import re

import msgspec

from falgate.core.picture import EXTENSIONS

_FORM = re.compile(
    r"sha256:([0-9a-f]{64});([1-9][0-9]{0,5})x([1-9][0-9]{0,5});(image/[a-z]{1,10})", re.ASCII
)


class InputPicture(msgspec.Struct, frozen=True):
    """What a fingerprint and a price need of an input picture; its `str` is what arguments hold.

    Neither the URL it came from nor its name is part of it: the same bytes are the same picture.

    Attributes:
        sha256: Hex digest of its bytes.
        width: Pixels.
        height: Pixels.
        content_type: One of `picture.EXTENSIONS`, from the bytes.
    """

    sha256: str
    width: int
    height: int
    content_type: str

    def __str__(self) -> str:
        """Return it as "sha256:<64 hex>;1024x768;image/png"."""
        return f"sha256:{self.sha256};{self.width}x{self.height};{self.content_type}"

    @property
    def name(self) -> str:
        """File name in the store of inputs."""
        return f"{self.sha256}.{EXTENSIONS[self.content_type]}"


def input_picture(text: str) -> InputPicture | None:
    """Parse what arguments hold; None for anything else, such as a URL that was not read yet."""
    found = _FORM.fullmatch(text)
    if found is None or found[4] not in EXTENSIONS:
        return None
    return InputPicture(found[1], int(found[2]), int(found[3]), found[4])
