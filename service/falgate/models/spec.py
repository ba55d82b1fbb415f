"""What a model's file declares: endpoint, schemas, prices and the pictures to expect."""

import functools
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec
from msgspec import UNSET

from falgate.core.money import Micros
from falgate.core.picture import Kept
from falgate.models.input_files import InputFiles
from falgate.models.refused import Problem, Refused, has, has_url
from falgate.models.sizes import Grid, ImageSize
from falgate.models.spelling import spelt


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


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """The files that describe a model.

    Attributes:
        file: Name of the declaration.
        document: fal's OpenAPI document of the endpoint, as pinned.
        unit_price: What fal's pricing API says for the endpoint, in dollars; "" if not known.
        terms: The terms of its price, in words.
    """

    file: str
    document: Mapping[str, Any]
    unit_price: str = ""
    terms: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Leave out the document, which is long."""
        return f"Description({self.file})"


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
        closed: The arguments that a caller must leave at these values.
        texts: Names of the arguments beside the prompt that can hold a URL, which is refused: what
            it leads to may change while the cache has the picture.
        unpooled: Arguments whose pictures are not kept, because they depend on more than the
            request; by name, all values of one have to match.
        recorded: Names of the arguments that the ledger keeps; never the prompt.
        pictures: Name of the result's field that has the pictures.
        lone: Whether that field has one picture, instead of a list of them.
        scalars: Names of the result's fields about the whole call, which are kept and repeated.
        parallels: Names of its lists with one element for each picture, likewise.
        flags: Those of the lists whose true elements mark pictures that are not kept.
        count: Name of the argument for the number of pictures, if the model has one.
        quality: Name of the argument for the quality, if the model has one.
        size: Name of the argument for the size, if the model has one.
        inline: Name of the argument that asks for data URIs instead of URLs, if the model has one.
        seed: Name of the argument that makes a call repeatable, if the model has one.
        prompt: Name of the argument for the prompt.
        format: Name of the argument for the file format, if the model has one.
        lossless: The lossless value of `format`, from which falgate converts to the others.
        inputs: Which arguments are input pictures. Once these are read, each is a string of the
            form of `InputPicture`, which is what prices and fingerprints see.
        retires: The day from which its vendor makes no pictures of it any more; None if none is
            announced.
        successor: Endpoint of the model to move to then, or "".
        described: The files that it was read from; None if it is one of falgate's own.
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
    closed: Mapping[str, Any] = {}
    texts: tuple[str, ...] = ()
    unpooled: tuple[Mapping[str, Any], ...] = ()
    reasoning_ceiling: Callable[[Any, int], Micros] = lambda _arguments, _number: 0
    recorded: tuple[str, ...] = ()
    pictures: str = "images"
    lone: bool = False
    scalars: tuple[str, ...] = ()
    parallels: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    count: str = "num_images"
    quality: str = "quality"
    size: str = "image_size"
    inline: str = "sync_mode"
    seed: str = ""
    prompt: str = "prompt"
    format: str = "output_format"
    lossless: str = "png"
    inputs: tuple[InputFiles, ...] = ()
    retires: date | None = None
    successor: str = ""
    described: Description | None = None

    @property
    def unkeyed(self) -> frozenset[str]:
        """Names of the arguments that do not change a picture."""
        return frozenset({self.count, self.inline} - {""})

    def keyed(self, arguments: Any) -> dict[str, Any]:
        """Return the arguments that requests must have in common to share pictures.

        With a seed, the number of pictures is one of them: the rest of a set cannot be bought.
        """
        outside = {self.inline} if self.is_seeded(arguments) else self.unkeyed
        given: dict[str, Any] = msgspec.to_builtins(arguments)
        return {name: value for name, value in given.items() if name not in outside}

    def is_seeded(self, arguments: Any) -> bool:
        """Return whether fal would make the same pictures again for these arguments."""
        return bool(self.seed) and getattr(arguments, self.seed) not in (UNSET, None)

    def is_unpooled(self, arguments: Any) -> bool:
        """Return whether the pictures depend on more than these arguments, so none are kept."""
        return any(has(arguments, each) for each in self.unpooled)

    def normalized(self, arguments: Any) -> Any:
        """Return the arguments as others that mean the same.

        A size has no name, and a null where a model has no default is nothing.
        """
        changed: dict[str, Any] = {
            name: UNSET for name in _optional(self.input) if getattr(arguments, name) is None
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
        for name, only in self.closed.items():
            if getattr(arguments, name) != only:
                return Problem(name, "this gateway does not sell it; leave it out")
        given = msgspec.to_builtins(arguments) if self.texts else {}
        for name in self.texts:
            if has_url(given.get(name)):
                return Problem(name, "it may not hold a URL, since what that leads to may change")
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
        number = getattr(arguments, self.count) if self.count else 1
        # Where a model lets it be null, fal's own choice is not known.
        return number if isinstance(number, int) else 1

    def single(self, arguments: Any) -> Any:
        """Return the arguments that ask for one picture, by its URL."""
        changed = {name: value for name, value in ((self.count, 1), (self.inline, False)) if name}
        return msgspec.structs.replace(arguments, **changed)

    def wants_inline(self, arguments: Any) -> bool:
        """Return whether the caller asked for data URIs."""
        return bool(self.inline) and getattr(arguments, self.inline) is True

    def prompt_of(self, arguments: Any) -> str:
        """Return the prompt."""
        prompt: str = getattr(arguments, self.prompt)
        return prompt

    def noted(self, arguments: Any) -> dict[str, str]:
        """Return the arguments that the ledger keeps, by name."""
        given = {name: getattr(arguments, name) for name in self.recorded}
        return {name: spelt(value) for name, value in given.items() if value is not UNSET}

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
        return tuple(filter(self.is_file, self.listed(output)))

    def listed(self, output: Any) -> list[Any]:
        """Return what a result of fal's has in place of picture files, well-formed or not."""
        found = output.get(self.pictures) if isinstance(output, dict) else None
        if self.lone:
            return [found]
        return found if isinstance(found, list) else []

    @staticmethod
    def is_file(file: Any) -> bool:
        """Return whether this is a well-formed file of a result."""
        return isinstance(file, dict) and isinstance(file.get("url"), str)

    def purchase(self, arguments: Any, number: int) -> dict[str, Any]:
        """Return the body that buys `number` pictures: every argument explicit, and never inline.

        fal keeps inline results only for minutes, so one that was lost could not be fetched again.
        """
        body: dict[str, Any] = msgspec.to_builtins(arguments)
        changed = ((self.count, number), (self.inline, False))
        return body | {name: value for name, value in changed if name}


@functools.cache
def _optional(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of the arguments without a default, which need not be given."""
    return tuple(each.name for each in msgspec.structs.fields(struct) if each.default is UNSET)
