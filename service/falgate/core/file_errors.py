"""fal's errors about input files, in its words: https://docs.fal.ai/errors."""

from collections.abc import Sequence
from typing import Any, Literal

from falgate.core.errors import InputRejected

FileError = Literal[
    "file_download_error",
    "file_too_large",
    "image_load_error",
    "image_too_large",
    "unsupported_image_format",
    "sequence_too_long",
    "sequence_too_short",
    "value_error",
]


def file_error(
    kind: FileError, loc: Sequence[str | int], why: str, *, said: str = "", **ctx: Any
) -> InputRejected:
    """Return the refusal of an input file.

    Args:
        kind: fal's type.
        loc: Where it is in the request.
        why: What is wrong and what to do; without the file's URL, which may hold secrets.
        said: What is quoted of it, such as an origin.
        ctx: The limits, as fal names them.
    """
    issue: dict[str, Any] = {
        "loc": list(loc),
        "msg": why,
        "type": kind,
        "url": f"https://docs.fal.ai/errors#{kind}",
    }
    return InputRejected(
        [issue | ({"ctx": ctx} if ctx else {}) | ({"input": said} if said else {})]
    )
