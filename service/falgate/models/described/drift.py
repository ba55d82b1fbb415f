"""Drift: what fal's document of an endpoint says now that the pinned one did not say.

Names of schemas, order, words, examples, null and fal's own notes do not count. A new argument that
may be left out, and a new field of results, change nothing for a request as falgate sends it.
Anything else may change what is sold, or what it costs.
"""

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from falgate.models.described.document import Document, reference, schema_in
from falgate.models.described.wrong import DescriptionWrong

_WORDS = frozenset({"title", "description", "examples", "example", "ui", "deprecated"})
_ONE_OF = frozenset({"anyOf", "oneOf", "allOf"})
_NULL = {"type": "null"}
_DEPTH_MAX = 30
_QUOTED_MAX = 100


class Difference(msgspec.Struct, frozen=True):
    """One difference.

    Attributes:
        where: The place, such as "input.quality.enum".
        what: What was there, and what is there now.
        harmless: Whether requests as falgate sends them mean the same.
    """

    where: str
    what: str
    harmless: bool = False

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.where}: {self.what}"


def differences(
    pinned: Mapping[str, Any], now: Mapping[str, Any], endpoint: str
) -> tuple[Difference, ...]:
    """Compare two documents of an endpoint; the pinned one is known to be understood."""
    try:
        found = _shapes(now, endpoint)
    except DescriptionWrong as wrong:
        return (Difference("document", f"it is not understood any longer ({wrong})"),)
    return tuple(
        difference
        for part, was in _shapes(pinned, endpoint).items()
        for difference in _compared(was, found[part], part)
    )


def price_difference(declared: str, now: Decimal) -> tuple[Difference, ...]:
    """Compare fal's unit price with the declared one, dollars; "" if none was declared."""
    if not declared or Decimal(declared) == now:
        return ()
    return (Difference("price.unit_usd", f"{declared} is now {now}"),)


def digest(found: tuple[Difference, ...]) -> str:
    """Return the SHA-256 (hex) by which differences are known again."""
    return hashlib.sha256(msgspec.json.encode(found)).hexdigest()


def _shapes(document: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    found = Document(document, endpoint)
    return {
        "input": _shape(found, found.schema(found.input_name)),
        "output": _shape(found, found.schema(found.output_name)),
    }


def _shape(document: Document, schema: Any, depth: int = 0) -> Any:
    """Return a schema without what does not count, with what it refers to in place."""
    if depth > _DEPTH_MAX:
        raise DescriptionWrong("", "it is nested too deeply, or refers to itself")
    if isinstance(schema, bool):  # as additionalProperties may be
        return schema
    schema = schema_in(schema, "schema")
    if "$ref" in schema:
        schema = {**document.schema(reference(str(schema["$ref"]))), **schema}
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _WORDS or key == "$ref" or key.startswith("x-"):
            continue
        if key == "properties":
            found[key] = {name: _shape(document, each, depth + 1) for name, each in value.items()}
        elif key in _ONE_OF:
            shapes = [_shape(document, each, depth + 1) for each in value if each != _NULL]
            # One of one is that one, and whether null is allowed as well changes no request.
            single = shapes[0] if len(shapes) == 1 and isinstance(shapes[0], dict) else None
            found = {key: _sorted(shapes), **found} if single is None else {**single, **found}
        elif key in ("required", "enum"):
            found[key] = _sorted(value)
        elif key in ("items", "additionalProperties"):
            found[key] = _shape(document, value, depth + 1)
        else:
            found[key] = value
    return found


def _compared(was: Any, now: Any, where: str) -> Iterator[Difference]:
    if was == now:
        return
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield Difference(where, f"{_quoted(was)} is now {_quoted(now)}")
        return
    required = now.get("required") or ()
    old, new = was.get("properties") or {}, now.get("properties") or {}
    for name in sorted(old.keys() | new.keys()):
        place = f"{where}.{name}"
        if name not in old:
            must = name in required and where.startswith("input")
            yield Difference(place, "new, and required" if must else "new", harmless=not must)
        elif name not in new:
            yield Difference(place, "gone")
        else:
            yield from _compared(old[name], new[name], place)
            if (name in required) != (name in (was.get("required") or ())):
                yield Difference(place, f"is {'now' if name in required else 'no longer'} required")
    for key in sorted((was.keys() | now.keys()) - {"properties", "required"}):
        yield from _compared(was.get(key), now.get(key), f"{where}.{key}")


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda each: msgspec.json.encode(each, order="sorted"))


def _quoted(value: Any) -> str:
    text = "nothing" if value is None else msgspec.json.encode(value, order="sorted").decode()
    return text if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]}..."
