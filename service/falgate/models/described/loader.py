"""A described model: its declaration and fal's document together are what `ModelSpec` holds."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from falgate.models.described import declaration as declarations
from falgate.models.described import document as documents
from falgate.models.described.checks import check
from falgate.models.described.declaration import Declaration, Fields, Price
from falgate.models.described.document import Document
from falgate.models.described.files import inputs_of
from falgate.models.described.sizes import expecting, grid_of, media_types, presets_of
from falgate.models.described.structs import struct_of
from falgate.models.described.terms import Prices, amount, words
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.hints import has_text, struct_in, values_of
from falgate.models.refused import Refused
from falgate.models.sizes import ImageSize
from falgate.models.spec import Description, ModelSpec
from falgate.models.spelling import spelt


def load(name: str, text: str, pinned: Callable[[str], bytes]) -> ModelSpec:
    """Read a described model.

    Args:
        name: Of the declaration's file.
        text: The declaration.
        pinned: Reads the file of a name beside it; raises OSError.

    Raises:
        DescriptionWrong: It cannot be served; says in which file, where, and what to do.
    """
    try:
        declared = declarations.read(text)
        return _spec(name, declared, _document(declared, pinned))
    except DescriptionWrong as wrong:
        raise DescriptionWrong(name, str(wrong)) from None


def _document(declared: Declaration, pinned: Callable[[str], bytes]) -> dict[str, Any]:
    file = declared.openapi.file
    try:
        data = pinned(file)
    except OSError as error:
        raise DescriptionWrong(
            "openapi.file", f"{file} cannot be read ({error.strerror or error})"
        ) from None
    found = hashlib.sha256(data).hexdigest()
    if found != declared.openapi.sha256:
        raise DescriptionWrong(
            "openapi.sha256",
            f"{file} is another file than the one that was reviewed: its SHA-256 is {found}; "
            "`falgate models check` tells what differs from fal's document",
        )
    try:
        return documents.parsed(data)
    except DescriptionWrong as wrong:
        raise DescriptionWrong(file, str(wrong)) from None


def _spec(name: str, declared: Declaration, found: dict[str, Any]) -> ModelSpec:
    document = Document(found, declared.endpoint)
    fields, outputs, price = declared.fields, declared.outputs, declared.price
    most = {} if fields.count_max is None else {fields.count: fields.count_max}
    arguments = struct_of(document, document.input_name, "Input", most=most)
    check(declared, arguments, struct_of(document, document.output_name, "Output"))
    pictures, parallels = outputs.files.removesuffix("[*]"), (*outputs.flags, *outputs.parallel)
    answered = (pictures, *outputs.scalars, *parallels)
    result = struct_of(document, document.output_name, "Output", only=answered)
    hints = {each.name: each.type for each in msgspec.structs.fields(arguments)}
    chosen = struct_in(hints.get(fields.size))
    size = chosen if chosen is not None and issubclass(chosen, ImageSize) else None
    inputs = inputs_of(declared.files, hints)
    prices = Prices(price, fields, inputs)
    names = [value for value in values_of(hints.get(fields.size)) if isinstance(value, str)]
    media = media_types(fields.format, values_of(hints.get(fields.format)))
    grid = grid_of(declared.size)
    return ModelSpec(
        endpoint=declared.endpoint,
        title=declared.title,
        schema_name=document.input_name.removesuffix("Input"),
        category=document.category,
        input=arguments,
        output=result,
        schema_version=declared.schema_version,
        retires=declared.retires,
        successor=declared.successor,
        price_version=price.version,
        image_price=prices.picture,
        text_ceiling=prices.ceiling,
        text_estimate=prices.estimate,
        reasoning_ceiling=prices.margin,
        rounded_to=prices.rounded_to,
        expected=expecting(fields.size, media, grid.pixels_max),
        presets=presets_of(declared.size, names, size),
        grid=grid if size else None,
        refused=tuple(Refused(each, _refusal(each)) for each in declared.refuse),
        closed={
            each.name: _usual(each)
            for each in msgspec.structs.fields(arguments)
            if each.name in declared.closed
        },
        texts=tuple(
            each
            for each, hint in hints.items()
            if each not in (fields.prompt, *declared.closed, *(file.argument for file in inputs))
            and has_text(hint)
        ),
        unpooled=tuple(declared.unpooled),
        recorded=_recorded(declared),
        inputs=inputs,
        pictures=pictures,
        lone=pictures == outputs.files,
        scalars=tuple(outputs.scalars),
        parallels=parallels,
        flags=tuple(outputs.flags),
        **_roles(fields),
        described=_description(name, found, price),
    )


def _description(name: str, document: dict[str, Any], price: Price) -> Description:
    if price.unit_usd:
        amount(price.unit_usd, "price.unit_usd")
    terms = tuple(map(words, price.terms))
    return Description(file=name, document=document, unit_price=price.unit_usd, terms=terms)


def _roles(fields: Fields) -> dict[str, Any]:
    """Return the arguments that falgate has to know, as `ModelSpec` calls them."""
    return {
        role: name for role, name in msgspec.structs.asdict(fields).items() if role != "count_max"
    }


def _recorded(declared: Declaration) -> tuple[str, ...]:
    """Return the arguments that the ledger keeps: what a price depends on, and the format."""
    fields = declared.fields
    priced = [name for term in declared.price.terms for name in (*term.times, *term.when)]
    return tuple(dict.fromkeys(filter(None, (fields.size, fields.quality, fields.format, *priced))))


def _refusal(values: Mapping[str, Any]) -> str:
    """Return what a caller is told about a combination that is not sold."""
    words = " with ".join(f"{name} {spelt(value)}" for name, value in values.items())
    return f"This gateway does not sell {words}"


def _usual(field: msgspec.structs.FieldInfo) -> Any:
    """Return the default of an argument that is not required."""
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
