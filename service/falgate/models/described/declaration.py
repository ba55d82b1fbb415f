"""The declaration of a model: what fal's OpenAPI document does not say, as TOML."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from falgate.models.described.wrong import DescriptionWrong

BYTES_MAX = 256 * 1024

UNDECIDED = "?"
"""What stands in a new declaration where a person has to decide; nothing with it is served."""

ENDPOINT = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*){1,5}", re.ASCII)

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Positive = Annotated[int, Meta(ge=1, le=10**9)]
Value = str | bool | int


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; a misspelt line is an error."""


class Pinned(_Part, frozen=True):
    """fal's document, as it was reviewed.

    Attributes:
        file: Its name, in the folder of the declaration.
        sha256: Hex digest of the file.
    """

    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Fields(_Part, frozen=True):
    """What the arguments are that falgate has to know; each is the name of one, if there is one.

    Attributes:
        prompt: The prompt.
        count: The number of pictures.
        count_max: The most of them at once, if that is fewer than the document says.
        inline: Whether data URIs are wanted.
        format: The file format.
        quality: The quality.
        size: The size.
        seed: What makes a call repeatable.
    """

    prompt: Name
    count: str = ""
    count_max: Annotated[int, Meta(ge=1, le=100)] | None = None
    inline: str = ""
    format: str = ""
    quality: str = ""
    size: str = ""
    seed: str = ""


class File(_Part, frozen=True):
    """An argument that is an input picture, or with "[*]" a list of them.

    Attributes:
        path: Name of the argument, such as "image_urls[*]".
        min: The fewest that a request must have.
        max: The most that it may have.
        bytes_max: Size of each.
        types: Their media types.
        masks: Path of the pictures that it is the mask of; "" if it is none.
    """

    path: Annotated[str, Meta(pattern=r"^\w+(\[\*\])?$")]
    min: Annotated[int, Meta(ge=0, le=100)] = 1
    max: Annotated[int, Meta(ge=1, le=100)] = 1
    bytes_max: Annotated[int, Meta(ge=1, le=50_000_000)] = 20_000_000
    types: list[Literal["image/png", "image/jpeg", "image/webp"]] = []
    masks: str = ""


class Outputs(_Part, frozen=True):
    """What a result has.

    Attributes:
        files: Path of the pictures: "images[*]" for a list of them, "image" for a single one.
        scalars: Fields about the whole call that are kept and answered again.
        parallel: Lists with one element for each picture, likewise.
        flags: Lists of bools, likewise; a picture whose element is true is not kept.
    """

    files: Annotated[str, Meta(pattern=r"^\w+(\[\*\])?$")]
    scalars: list[Name] = []
    parallel: list[Name] = []
    flags: list[Name] = []


class Size(_Part, frozen=True):
    """How large pictures are.

    Attributes:
        pixels: Of a picture, the fewest and the most.
        fold: Width and height of the sizes that have a name, where they are proven.
        unknown: Names of sizes whose pixels are not known.
        multiple_of: Of both sides, where the caller chooses them.
        edge_min: Of the shorter side, pixels; likewise.
        edge_max: Of the longer side, pixels; likewise.
        ratio_max: Of the longer side to the shorter one; 0 for any.
    """

    pixels: tuple[Positive, Positive]
    fold: dict[str, tuple[Positive, Positive]] = {}
    unknown: list[str] = []
    multiple_of: Annotated[int, Meta(ge=1, le=1024)] = 1
    edge_min: Positive = 1
    edge_max: Positive = 16_384
    ratio_max: Annotated[int, Meta(ge=0, le=1000)] = 0


class Term(_Part, frozen=True):
    """A part of the price of a call.

    Attributes:
        of: What is counted: pictures; megapixels of each picture and of all input files; tokens of
            OpenAI's grid; bytes of the prompt; input files.
        usd: Dollars for each.
        usual: What is booked instead of `usd`, which is held, until fal's billing is read.
        when: The arguments with which the term counts; all have to match.
        times: Factors by the value of an argument.
        free: How many megapixels of a call's picture are in the other terms.
        pixels: Of a megapixel; parts of it are rounded up.
        plus: Tokens beside those of the prompt.
        grid: Tokens along the longer side of a picture, by its quality.
        unknown_size: What is held where the size is not known.
    """

    of: Literal["picture", "megapixel", "grid", "byte", "file"]
    usd: str
    usual: str | None = None
    when: dict[str, Value] = {}
    times: dict[str, dict[str, str]] = {}
    free: Annotated[int, Meta(ge=0, le=100)] = 0
    pixels: Annotated[int, Meta(ge=1, le=10**8)] = 1_000_000
    plus: Annotated[int, Meta(ge=0, le=10**6)] = 0
    grid: dict[str, Annotated[int, Meta(ge=1, le=1000)]] = {}
    unknown_size: tuple[Positive, Positive] | None = None


class Price(_Part, frozen=True):
    """What a call costs.

    Attributes:
        version: Date of the prices.
        terms: Their sum is the price.
        round_up_to: What fal rounds a call up to, dollars.
        unit_usd: What fal's pricing API says for the endpoint; "" if that is not known.
    """

    version: Annotated[str, Meta(min_length=1, max_length=32)]
    terms: Annotated[list[Term], Meta(min_length=1, max_length=20)]
    round_up_to: str = "0.000001"
    unit_usd: str = ""


class Declaration(_Part, frozen=True):
    """The whole file.

    Attributes:
        endpoint: fal's id of the model, such as "fal-ai/flux/schnell".
        title: Its name for people.
        openapi: fal's document.
        schema_version: Raise it when cached pictures must not be used again.
        retires: The day (UTC) from which fal does not make its pictures any more.
        successor: Endpoint of the model that takes its place then.
        fields: What its arguments are.
        unkeyed: Arguments that do not change a picture: the count and `inline`, no others.
        files: Arguments that are input pictures.
        outputs: What its results have.
        refuse: Combinations of arguments that are not sold.
        closed: Arguments that callers must leave at their defaults.
        unpooled: Combinations whose pictures are not kept.
        size: How large its pictures are.
        price: What they cost.
    """

    endpoint: Annotated[str, Meta(pattern=f"^{ENDPOINT.pattern}$", max_length=150)]
    title: Annotated[str, Meta(min_length=1, max_length=100)]
    openapi: Pinned
    schema_version: Annotated[int, Meta(ge=1, le=10**6)]
    fields: Fields
    outputs: Outputs
    size: Size
    price: Price
    retires: date | None = None
    successor: Annotated[str, Meta(pattern=f"^({ENDPOINT.pattern})?$", max_length=150)] = ""
    unkeyed: list[Name] = []
    files: Annotated[list[File], Meta(max_length=20)] = []
    refuse: Annotated[list[dict[str, Value]], Meta(max_length=50)] = []
    closed: Annotated[list[Name], Meta(max_length=50)] = []
    unpooled: Annotated[list[dict[str, Value]], Meta(max_length=50)] = []


def read(text: str) -> Declaration:
    """Parse a declaration.

    Raises:
        DescriptionWrong: It is not one.
    """
    if len(text.encode()) > BYTES_MAX:
        raise DescriptionWrong("", f"it is larger than {BYTES_MAX:,} bytes")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DescriptionWrong("", f"this is not TOML: {error}") from None
    if undecided := list(_undecided(found)):
        raise DescriptionWrong(
            ", ".join(undecided), f'"{UNDECIDED}" is for you to decide; see docs/models.md'
        )
    try:
        return msgspec.convert(found, Declaration)
    except msgspec.ValidationError as error:
        why, _, place = str(error).partition(" - at `$")
        raise DescriptionWrong(place.rstrip("`").lstrip("."), why) from None


def _undecided(value: Any, where: str = "") -> Iterator[str]:
    """Yield the places where something is not decided."""
    if value == UNDECIDED:
        yield where
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _undecided(each, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _undecided(each, f"{where}[{index}]")
