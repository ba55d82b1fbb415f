"""What a model's file declares: endpoint, schemas, prices and the pictures to expect."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET

from falgate.core.money import Micros
from falgate.core.picture import Kept
from falgate.models.input_files import InputFiles
from falgate.models.sizes import Grid, ImageSize


class Expected(msgspec.Struct, frozen=True):
    """What every delivered picture of a request must be.

    Attributes:
        content_type: Media type.
        width: Pixels; 0 where the model chooses the size.
        height: Likewise.
        pixels: The most that a picture of the model has; 0 for twice those of this size.
    """

    content_type: str
    width: int = 0
    height: int = 0
    pixels: int = 0

    @property
    def pixels_max(self) -> int:
        """Pixel count above which a delivery is refused before it is decoded.

        Another of the model's sizes is paid for and handed out.
        """
        return self.pixels or 2 * self.width * self.height

    def fits(self, kept: Kept) -> bool:
        """Return whether a delivered picture is what was asked for."""
        if not self.width:
            return kept.content_type == self.content_type
        return (kept.content_type, kept.width, kept.height) == (
            self.content_type,
            self.width,
            self.height,
        )


class Refused(msgspec.Struct, frozen=True):
    """Arguments that a model refuses together, although its schema allows each of them.

    Attributes:
        when: Their values, by name.
        why: What a caller is told.
        given: Another argument, whatever its value; "" for none.
    """

    when: Mapping[str, Any]
    why: str
    given: str = ""

    def has(self, arguments: Any) -> bool:
        """Return whether arguments are such."""
        if self.given and getattr(arguments, self.given) is UNSET:
            return False
        return all(getattr(arguments, name) == value for name, value in self.when.items())


class Problem(msgspec.Struct, frozen=True):
    """Why a request is refused.

    Attributes:
        argument: Name of the argument that is wrong.
        why: What is wrong with it.
    """

    argument: str
    why: str


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One fal endpoint that turns a prompt into pictures.

    Attributes:
        endpoint: fal's id, such as "fal-ai/gpt-image-1.5"; also the path under which it is called.
        title: Display name.
        schema_name: Prefix of its schemas in fal's OpenAPI document, such as "GptImage15".
        category: fal's category, such as "text-to-image".
        input: The arguments, a frozen msgspec Struct with defaults, limits and descriptions.
        output: The result, a msgspec Struct that lists its pictures in the field `pictures`.
        schema_version: Part of the fingerprint; raise it when cached pictures must not be reused.
        price_version: Identifies the price table by its date.
        image_price: Maps arguments to the list price of one picture, in micro-USD.
        text_ceiling: Maps arguments and the number of pictures to buy to the most that their text
            and input pictures may cost, in micro-USD.
        text_estimate: Maps arguments and the number of delivered pictures to what is booked for
            their text and input pictures, in micro-USD. Errs high, but never exceeds `text_ceiling`
            for the same number.
        reasoning_ceiling: Likewise, the part of `text_ceiling` that is reserved for the model's
            reasoning while it makes pictures.
        rounded_to: What fal rounds the price of a call up to a multiple of, in micro-USD.
        expected: Maps arguments to what each picture must be.
        presets: What the sizes stand for that have a name. A request with such a name is the same
            as one with its size.
        grid: The sizes that the model makes, if it makes any size and prices it by its pixels.
        priced_sizes: The sizes that it chooses among if it may, each with a price of its own.
        refused: Which arguments do not go together.
        lossy_only: Names of the arguments that only lossy formats have.
        recorded: Names of the arguments that the ledger keeps; never the prompt.
        pictures: Name of the result's field that lists the pictures.
        count: Name of the argument for the number of pictures.
        quality: Name of the argument for the quality, if the model has one.
        size: Name of the argument for the size, if the model has one.
        inline: Name of the argument that asks for data URIs instead of URLs.
        prompt: Name of the argument for the prompt.
        format: Name of the argument for the file format, if the model has one.
        lossless: The lossless value of `format`, from which falgate converts to the others.
        inputs: Which arguments are input pictures. Once these are read, each is a string of the
            form of `InputPicture`, which is what prices and fingerprints see.
        retires: The day from which its vendor makes no pictures of it any more; None if none is
            announced.
        successor: Endpoint of the model to move to then, or "".
    """

    endpoint: str
    title: str
    schema_name: str
    category: str
    input: type[msgspec.Struct]
    output: type[msgspec.Struct]
    schema_version: int
    price_version: str
    image_price: Callable[[Any], Micros]
    text_ceiling: Callable[[Any, int], Micros]
    text_estimate: Callable[[Any, int], Micros]
    expected: Callable[[Any], Expected]
    rounded_to: Micros = 1
    presets: Mapping[str, ImageSize] = {}
    grid: Grid | None = None
    priced_sizes: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    lossy_only: tuple[str, ...] = ()
    reasoning_ceiling: Callable[[Any, int], Micros] = lambda _arguments, _number: 0
    recorded: tuple[str, ...] = ()
    pictures: str = "images"
    count: str = "num_images"
    quality: str = "quality"
    size: str = "image_size"
    inline: str = "sync_mode"
    prompt: str = "prompt"
    format: str = "output_format"
    lossless: str = "png"
    inputs: tuple[InputFiles, ...] = ()
    retires: date | None = None
    successor: str = ""

    @property
    def unkeyed(self) -> frozenset[str]:
        """Names of the arguments outside the fingerprint, because they do not change a picture."""
        return frozenset({self.count, self.inline})

    def normalized(self, arguments: Any) -> Any:
        """Return the arguments as others that mean the same.

        A size has no name, and a null where a model has no default is nothing.
        """
        optional = (*self.lossy_only, *(each.argument for each in self.inputs if not each.least))
        changed: dict[str, Any] = {
            name: UNSET for name in optional if getattr(arguments, name) is None
        }
        size = getattr(arguments, self.size, None)
        if isinstance(size, str) and size in self.presets:
            changed[self.size] = self.presets[size]
        return msgspec.structs.replace(arguments, **changed) if changed else arguments

    def problem(self, arguments: Any) -> Problem | None:
        """Return what the model would refuse although its schema allows it, or None."""
        size = getattr(arguments, self.size, None)
        if self.grid and isinstance(size, ImageSize) and (why := self.grid.wrong(size)):
            return Problem(self.size, f"{size} is not a size of this model: {why}")
        for refused in self.refused:
            if refused.has(arguments):
                return Problem(refused.given or next(iter(refused.when)), refused.why)
        return None

    def as_delivered(self, arguments: Any, width: int, height: int) -> Any:
        """Return the arguments that a delivered picture is priced by."""
        size = ImageSize(width=width, height=height)
        if self.grid is not None and self.grid.may_be(size):
            return msgspec.structs.replace(arguments, **{self.size: size})
        if str(size) in self.priced_sizes:
            return msgspec.structs.replace(arguments, **{self.size: str(size)})
        return arguments

    def asked(self, arguments: Any) -> int:
        """Return how many pictures the caller asked for."""
        number: int = getattr(arguments, self.count)
        return number

    def wants_inline(self, arguments: Any) -> bool:
        """Return whether the caller asked for data URIs."""
        inline: bool = getattr(arguments, self.inline)
        return inline

    def prompt_of(self, arguments: Any) -> str:
        """Return the prompt."""
        prompt: str = getattr(arguments, self.prompt)
        return prompt

    def noted(self, arguments: Any) -> dict[str, str]:
        """Return the arguments that the ledger keeps, by name."""
        return {name: str(getattr(arguments, name)) for name in self.recorded}

    def masters(self, arguments: Any) -> Any | None:
        """Return the arguments for the lossless pictures that these can be converted from.

        None if these ask for lossless pictures already. A lossy picture is no source: each
        conversion would lose more.
        """
        if getattr(arguments, self.format, self.lossless) == self.lossless:
            return None
        if any(getattr(arguments, name) is not UNSET for name in self.lossy_only):
            return None  # It says how the file is compressed; a conversion here would not.
        return msgspec.structs.replace(arguments, **{self.format: self.lossless})

    def files(self, output: Any) -> tuple[dict[str, Any], ...]:
        """Return the well-formed picture files in a result of fal's."""
        listed = output.get(self.pictures) if isinstance(output, dict) else None
        if not isinstance(listed, list):
            return ()
        return tuple(f for f in listed if isinstance(f, dict) and isinstance(f.get("url"), str))

    def purchase(self, arguments: Any, number: int) -> dict[str, Any]:
        """Return the body that buys `number` pictures: every argument explicit, and never inline.

        fal keeps inline results only for minutes, so one that was lost could not be fetched again.
        """
        body: dict[str, Any] = msgspec.to_builtins(arguments)
        body[self.count] = number
        body[self.inline] = False
        return body
