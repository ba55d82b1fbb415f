"""What a model's file declares: endpoint, schemas, prices and the pictures to expect."""

from collections.abc import Callable
from typing import Any

import msgspec

from falgate.core.money import Micros
from falgate.core.picture import Kept


class Expected(msgspec.Struct, frozen=True):
    """What every delivered picture of a request must be.

    Attributes:
        content_type: Media type.
        width: Pixels.
        height: Pixels.
    """

    content_type: str
    width: int
    height: int

    @property
    def pixels_max(self) -> int:
        """Pixel count above which a delivery is refused before it is decoded.

        Another of the model's sizes is paid for and handed out, and none has twice as many pixels.
        """
        return 2 * self.width * self.height

    def fits(self, kept: Kept) -> bool:
        """Return whether a delivered picture is what was asked for."""
        return (kept.content_type, kept.width, kept.height) == (
            self.content_type,
            self.width,
            self.height,
        )


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
            may cost, in micro-USD.
        text_estimate: Maps arguments and the number of delivered pictures to what is booked for
            their text, in micro-USD. Errs high, but never exceeds `text_ceiling` for the same
            number.
        reasoning_ceiling: Likewise, the part of `text_ceiling` that is reserved for the model's
            reasoning while it makes pictures.
        expected: Maps arguments to what each picture must be.
        recorded: Names of the arguments that the ledger keeps; never the prompt.
        pictures: Name of the result's field that lists the pictures.
        count: Name of the argument for the number of pictures.
        quality: Name of the argument for the quality, if the model has one.
        size: Name of the argument for the size, if the model has one.
        inline: Name of the argument that asks for data URIs instead of URLs.
        prompt: Name of the argument for the prompt.
        format: Name of the argument for the file format, if the model has one.
        lossless: The lossless value of `format`, from which falgate converts to the others.
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

    @property
    def unkeyed(self) -> frozenset[str]:
        """Names of the arguments outside the fingerprint, because they do not change a picture."""
        return frozenset({self.count, self.inline})

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
