"""What a declaration must agree on with fal's document before the model is sold."""

from collections.abc import Iterable, Mapping
from typing import Any, get_origin

import msgspec

from falgate.models.described.declaration import Declaration, Term
from falgate.models.described.files import argument
from falgate.models.described.sizes import legal
from falgate.models.described.skeleton import FILE
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.hints import (
    is_optional,
    most_of,
    only_lists,
    present,
    structs_within,
    values_of,
)
from falgate.models.openai_images import picture_tokens
from falgate.models.sizes import ImageSize
from falgate.models.spelling import spelt

_RESERVED = frozenset({"admin", "api", "docs", "pictures", "queue", "run", "v1"})
"""First parts of paths that are falgate's own."""

Hints = Mapping[str, Any]


def check(
    declared: Declaration, arguments: type[msgspec.Struct], result: type[msgspec.Struct]
) -> None:
    """Check a declaration against the types of fal's document.

    Raises:
        DescriptionWrong: Something would be sold without a bound, or not as it was meant.
    """
    first, *others = declared.endpoint.split("/")
    if first in _RESERVED or "requests" in others:
        raise DescriptionWrong("endpoint", "a path like this is falgate's own")
    hints = {each.name: each.type for each in msgspec.structs.fields(arguments)}
    _check_fields(declared, hints)
    _check_values(declared, hints)
    _check_closed(declared, arguments)
    _check_outputs(declared, result)
    _check_terms(declared, hints)


def _check_fields(declared: Declaration, hints: Hints) -> None:
    fields = declared.fields
    kinds = {"prompt": str, "count": int, "inline": bool, "seed": int}
    for field in ("prompt", "count", "inline", "format", "quality", "size", "seed"):
        name = getattr(fields, field)
        if not name:
            continue
        _require(name, hints, f"fields.{field}")
        if field in kinds and present(hints[name]) != [kinds[field]]:
            raise DescriptionWrong(
                f"fields.{field}", f"{name} is not of type {kinds[field].__name__}"
            )
    if is_optional(hints[fields.prompt]):
        raise DescriptionWrong("fields.prompt", f"{fields.prompt} may be left out")
    for field in ("format", "quality"):
        name = getattr(fields, field)
        if name and not only_lists(hints[name]):
            raise DescriptionWrong(
                f"fields.{field}", f"fal's document does not list {name}'s values"
            )
    if fields.count and most_of(hints[fields.count]) is None:
        raise DescriptionWrong("fields.count_max", f"{fields.count} has no maximum: give one")
    if fields.count_max and not fields.count:
        raise DescriptionWrong("fields.count_max", "it is of no use without count")
    if set(declared.unkeyed) != {fields.count, fields.inline} - {""}:
        raise DescriptionWrong(
            "unkeyed", "it must list the arguments of count and inline, and no other"
        )


def _check_values(declared: Declaration, hints: Hints) -> None:
    """Check the values that arguments are compared with: a misspelt one would never match."""
    tables = {
        **{f"refuse[{index}]": each for index, each in enumerate(declared.refuse)},
        **{f"unpooled[{index}]": each for index, each in enumerate(declared.unpooled)},
        **{f"price.terms[{i}].when": each.when for i, each in enumerate(declared.price.terms)},
    }
    for where, table in tables.items():
        if not table and not where.endswith(".when"):
            raise DescriptionWrong(where, "it names no argument")
        for name, value in table.items():
            _require(name, hints, where)
            try:
                msgspec.convert(value, hints[name])
            except msgspec.ValidationError as error:
                raise DescriptionWrong(f"{where}.{name}", str(error)) from None


def _check_closed(declared: Declaration, arguments: type[msgspec.Struct]) -> None:
    found = {each.name: each for each in msgspec.structs.fields(arguments)}
    known = set(msgspec.structs.asdict(declared.fields).values())
    for name in declared.closed:
        _require(name, found, "closed")
        if found[name].required:
            raise DescriptionWrong("closed", f"{name} cannot be left out")
    known |= {argument(file.path) for file in declared.files}
    for name in declared.closed:
        if name in known:
            raise DescriptionWrong("closed", f"{name} cannot be left out")
    for name, field in found.items():
        told = name in declared.closed or name in known
        if not told and (file := _file_in(name, field.type)):
            raise DescriptionWrong(
                "closed",
                f"{file} leads to a file whose bytes may change; list {name} in closed, or in "
                "files if it is an input picture",
            )


def _file_in(name: str, hint: Any) -> str:
    """Return the name of what leads to a file, itself or a field in it; "" if nothing does."""
    if FILE.search(name):
        return name
    inner = (
        each.name for struct in structs_within(hint) for each in msgspec.structs.fields(struct)
    )
    return next((f"{name}: {each}" for each in inner if FILE.search(each)), "")


def _check_outputs(declared: Declaration, result: type[msgspec.Struct]) -> None:
    outputs = declared.outputs
    hints = {each.name: each.type for each in msgspec.structs.fields(result)}
    pictures = outputs.files.removesuffix("[*]")
    for where in ("scalars", "parallel", "flags"):
        for name in getattr(outputs, where):
            _require(name, hints, f"outputs.{where}")
    if declared.fields.prompt in outputs.scalars:
        raise DescriptionWrong("outputs.scalars", "falgate does not keep prompts; leave it out")
    _require(pictures, hints, "outputs.files")
    lone = pictures == outputs.files
    if lone and (declared.fields.count or outputs.parallel or outputs.flags):
        raise DescriptionWrong(
            "outputs.files", "with a single picture there is no count, and no list beside it"
        )
    lists = (*(() if lone else (pictures,)), *outputs.parallel, *outputs.flags)
    for name in lists:
        _require(name, hints, "outputs")
        if not any(get_origin(kind) is list for kind in present(hints[name])):
            raise DescriptionWrong("outputs", f"{name} is no list in fal's document")
    for name, hint in hints.items():
        has_files = any(
            each.name == "url"
            for struct in structs_within(hint)
            for each in msgspec.structs.fields(struct)
        )
        if has_files and name != pictures:
            raise DescriptionWrong(
                "outputs.files", f"{name} has files too, which nobody would get: use another model"
            )
        if name == pictures and not has_files:
            raise DescriptionWrong("outputs.files", f"{name} has no files in fal's document")


def _check_terms(declared: Declaration, hints: Hints) -> None:
    terms = declared.price.terms
    for index, term in enumerate(terms):
        where = f"price.terms[{index}]"
        for name, factors in term.times.items():
            _require(name, hints, f"{where}.times")
            if is_optional(hints[name]) or not only_lists(hints[name]):
                raise DescriptionWrong(
                    f"{where}.times", f"fal's document does not list all values of {name}"
                )
            _require_all(factors, hints[name], f"{where}.times.{name}")
        if term.of == "file" and not declared.files:
            raise DescriptionWrong(where, "the model has no input files")
        if term.of in ("megapixel", "grid"):
            _check_pixels(declared, term, where)
        if term.of == "grid":
            quality = declared.fields.quality
            if not quality or is_optional(hints[quality]):
                raise DescriptionWrong("fields.quality", "a term of a grid depends on the quality")
            _require_all(term.grid, hints[quality], f"{where}.grid")
    if not any(_is_always(term) for term in terms):
        raise DescriptionWrong(
            "price.terms", "no term counts for every picture, so some would have no price"
        )


def _is_always(term: Term) -> bool:
    per_picture = term.of in ("picture", "grid") or (term.of == "megapixel" and not term.free)
    return per_picture and not term.when and term.usual is None


def _check_pixels(declared: Declaration, term: Term, where: str) -> None:
    """Check that what is held for a size that is not known is the most that there can be."""
    fields, size = declared.fields, declared.size
    if fields.size and not size.unknown and term.unknown_size is None:
        return
    if term.unknown_size is None:
        raise DescriptionWrong(
            f"{where}.unknown_size", "the size is not always known: give the largest one"
        )
    width, height = term.unknown_size
    if term.of == "megapixel" and width * height < size.pixels[1]:
        raise DescriptionWrong(
            f"{where}.unknown_size", f"pictures may have {size.pixels[1]:,} pixels, which is more"
        )
    if term.of == "grid":
        across = max(term.grid.values(), default=1)
        dearest = max(legal(size), key=lambda each: picture_tokens(across, each), default=None)
        held = ImageSize(width=width, height=height)
        if dearest and picture_tokens(across, dearest) > picture_tokens(across, held):
            raise DescriptionWrong(f"{where}.unknown_size", f"{dearest} has more tokens")


def _require_all(given: Iterable[str], hint: Any, where: str) -> None:
    """Require an entry for each value of a type, and for no other."""
    given, known = set(given), {spelt(value) for value in values_of(hint)}
    if missing := sorted(known - given):
        raise DescriptionWrong(where, f"{missing[0]!r} has no price; give one or refuse it")
    if strange := sorted(given - known):
        raise DescriptionWrong(where, f"{strange[0]!r} is no value in fal's document")


def _require(name: str, known: Iterable[str], where: str) -> None:
    known = list(known)
    if name not in known:
        there = ", ".join(known)
        raise DescriptionWrong(where, f"fal's document has no {name!r}; there are: {there}")
