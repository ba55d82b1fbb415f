"""What a model's file declares: its endpoint, schema and prices, and which pictures to expect."""

from collections.abc import Callable
from typing import Any

import msgspec

from falgate.core.money import Micros
from falgate.core.picture import Kept


class Expected(msgspec.Struct, frozen=True):
    """What every delivered picture of a request must be.

    Attributes:
        content_type: Its media type.
        width: Pixels.
        height: Pixels.
    """

    content_type: str
    width: int
    height: int

    @property
    def pixels_max(self) -> int:
        """More than a delivery may have, whatever fal took the request for.

        Another of a model's sizes is paid for and handed out; none is twice as large.
        """
        return 2 * self.width * self.height

    def fits(self, kept: Kept) -> bool:
        """Whether a delivered picture is what was asked for."""
        return (kept.content_type, kept.width, kept.height) == (
            self.content_type,
            self.width,
            self.height,
        )


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One fal endpoint that turns a prompt into pictures.

    Attributes:
        endpoint: fal's id, such as "fal-ai/gpt-image-1.5"; also the path it is called under.
        title: Its name for people.
        schema_name: The prefix of its schemas in fal's OpenAPI document, such as "GptImage15".
        category: fal's category, such as "text-to-image".
        input: Arguments, as a frozen msgspec Struct with defaults, limits and descriptions.
        output: The answer, as a msgspec Struct; its pictures stand in a list under `pictures`.
        schema_version: Part of the fingerprint: raise it when old pictures no longer fit.
        price_version: Names the price table in force, with its date.
        image_price: Arguments to the list price of one picture, in micro-USD.
        text_ceiling: Arguments and pictures to buy, to the most that their text may cost,
            in micro-USD.
        text_estimate: Arguments and pictures delivered, to what their text is booked at, in
            micro-USD. It errs high; never above `text_ceiling` for as many pictures.
        reasoning_ceiling: Likewise, to the part of `text_ceiling` that is a margin for what the
            model thinks while it makes them.
        expected: Arguments to what each picture must be.
        recorded: The arguments that the ledger keeps; never the prompt.
        pictures: The field of the answer that lists the pictures.
        count: The argument that says how many pictures are asked for.
        quality: The argument that says how good they are, if there is one.
        size: The argument that says how large, if there is one.
        inline: The argument that asks for data URIs instead of URLs.
        prompt: The argument that says what to paint.
        format: The argument that names the type of file, if there is one.
        lossless: Its value for files that other types can be made of without a loss but their own.
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
        """The arguments that are no part of the fingerprint: they do not change a picture."""
        return frozenset({self.count, self.inline})

    def asked(self, arguments: Any) -> int:
        """How many pictures the caller asked for."""
        number: int = getattr(arguments, self.count)
        return number

    def wants_inline(self, arguments: Any) -> bool:
        """Whether the caller asked for data URIs."""
        inline: bool = getattr(arguments, self.inline)
        return inline

    def prompt_of(self, arguments: Any) -> str:
        """The prompt."""
        prompt: str = getattr(arguments, self.prompt)
        return prompt

    def noted(self, arguments: Any) -> dict[str, str]:
        """The arguments that the ledger keeps, by name."""
        return {name: str(getattr(arguments, name)) for name in self.recorded}

    def masters(self, arguments: Any) -> Any | None:
        """The arguments whose pictures these could be made from; None where they are those.

        Only from a lossless file: of another one, what its compression lost would be lost twice.
        """
        if getattr(arguments, self.format, self.lossless) == self.lossless:
            return None
        return msgspec.structs.replace(arguments, **{self.format: self.lossless})

    def files(self, output: Any) -> tuple[dict[str, Any], ...]:
        """The picture files of an answer of fal's, as far as it has the right form."""
        listed = output.get(self.pictures) if isinstance(output, dict) else None
        if not isinstance(listed, list):
            return ()
        return tuple(f for f in listed if isinstance(f, dict) and isinstance(f.get("url"), str))

    def purchase(self, arguments: Any, number: int) -> dict[str, Any]:
        """The body that buys `number` of these pictures: every argument spelt out, never inline.

        An inline answer is kept by fal for minutes only, and could not be fetched again.
        """
        body: dict[str, Any] = msgspec.to_builtins(arguments)
        body[self.count] = number
        body[self.inline] = False
        return body
