"""msgspec Structs for the schemas of an OpenAPI document, as a model's own file would declare them.

Fields have the schemas' order, limits, defaults and words. Two dialects say that a field is
optional: it is not among the required ones, or it may be null.
"""

import keyword
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from falgate.models.described.document import Document, reference, schema_in
from falgate.models.described.wrong import DescriptionWrong
from falgate.models.sizes import ImageSize

_TYPES: dict[str, Any] = dict(
    zip(("boolean", "integer", "number", "string"), (bool, int, float, str), strict=True)
)
_NULL = {"type": "null"}
_LIMITS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
}
_WORDS = frozenset({"title", "description", "examples", "example", "default", "ui", "deprecated"})
_STRUCTURE = frozenset(
    {
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "enum",
        "format",
        "items",
        "nullable",
        "oneOf",
        "properties",
        "required",
        "type",
    }
)
_FIELDS_MAX = 200


def struct_of(
    document: Document,
    schema_name: str,
    name: str,
    *,
    most: Mapping[str, int] | None = None,
    only: Collection[str] = (),
) -> type[msgspec.Struct]:
    """Return the struct of a schema.

    Args:
        document: Has the schema.
        schema_name: Its name there.
        name: What the struct is called.
        most: Smaller limits than the document's, by field.
        only: The fields that it gets; all of them if there are none.

    Raises:
        DescriptionWrong: The schema has something that is not understood.
    """
    return _Builder(document, most or {}, only).struct(schema_name, name, ())


class _Builder:
    """Builds structs; each schema becomes one, however often it is referred to."""

    def __init__(self, document: Document, most: Mapping[str, int], only: Collection[str]) -> None:
        self._document = document
        self._most = most
        self._only = only
        self._module = "described." + document.endpoint.replace("/", ".")
        self._built: dict[str, type[msgspec.Struct]] = {}

    def struct(self, schema_name: str, name: str, above: tuple[str, ...]) -> type[msgspec.Struct]:
        if schema_name in above:
            raise DescriptionWrong(schema_name, "it refers to itself, which has no bound")
        if schema_name not in self._built:
            schema = self._document.schema(schema_name)
            self._built[schema_name] = self._object(schema, name, (*above, schema_name))
        return self._built[schema_name]

    def _object(
        self, schema: Mapping[str, Any], name: str, above: tuple[str, ...]
    ) -> type[msgspec.Struct]:
        where = above[-1]
        properties = schema.get("properties")
        if schema.get("type") != "object" or not properties:
            raise DescriptionWrong(where, "it must be an object with properties")
        if len(properties) > _FIELDS_MAX:
            raise DescriptionWrong(where, f"it has more than {_FIELDS_MAX} properties")
        required = schema.get("required", ())
        fields = [
            self._field(each, properties[each], each in required, above)
            for each in _ordered(schema, properties)
            if len(above) > 1 or not self._only or each in self._only
        ]
        return msgspec.defstruct(
            name,
            fields,
            bases=(ImageSize,) if properties.keys() == {"width", "height"} else None,
            module=self._module,
            namespace={"__doc__": _text(schema, "description") or f"fal's {name}."},
            frozen=True,
            kw_only=True,
        )

    def _field(
        self, name: str, schema: Any, required: bool, above: tuple[str, ...]
    ) -> tuple[str, Any] | tuple[str, Any, Any]:
        where = f"{above[-1]}.{name}"
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise DescriptionWrong(where, "a field of this name cannot be served")
        schema = schema_in(schema, where)
        if len(above) == 1 and name in self._most:
            limit = self._most[name]
            schema = {**schema, "maximum": min(limit, schema.get("maximum", limit))}
        hint, nullable = self._type(schema, where, above)
        default = schema.get("default")
        if default is None:
            if required:
                return name, self._worded(hint | None if nullable else hint, schema)
            # Without a default of its own, it is left out.
            return name, Union[self._worded(hint, schema), UnsetType, None], UNSET  # noqa: UP007 -- made from a value
        if nullable:
            hint = hint | None
        try:
            value = msgspec.convert(default, hint)
        except msgspec.ValidationError as error:
            raise DescriptionWrong(where, f"its default does not fit: {error}") from None
        if isinstance(value, list | dict):
            made = msgspec.field(default_factory=lambda: msgspec.convert(default, hint))
            return name, self._worded(hint, schema), made
        return name, self._worded(hint, schema), value

    def _worded(self, hint: Any, schema: Mapping[str, Any]) -> Any:
        examples = schema.get("examples")
        meta = Meta(
            title=_text(schema, "title"),
            description=_text(schema, "description"),
            examples=examples if isinstance(examples, list) else None,
        )
        return Annotated[hint, meta]

    def _type(self, schema: Any, where: str, above: tuple[str, ...]) -> tuple[Any, bool]:
        """Return the type of a schema, and whether it may be null."""
        schema = schema_in(schema, where)
        for key in schema:
            known = key in _WORDS or key in _STRUCTURE or key in _LIMITS or key.startswith("x-")
            if not known:
                raise DescriptionWrong(where, f"{key} is not understood")
        if "$ref" in schema:
            name = reference(str(schema["$ref"]))
            return self.struct(name, name, above), bool(schema.get("nullable"))
        for either in ("anyOf", "oneOf", "allOf"):
            if either in schema:
                return self._union(schema, either, where, above)
        return self._plain(schema, where, above), bool(schema.get("nullable"))

    def _union(
        self, schema: Mapping[str, Any], either: str, where: str, above: tuple[str, ...]
    ) -> tuple[Any, bool]:
        listed = schema[either]
        if not listed or (either == "allOf" and len(listed) > 1):
            raise DescriptionWrong(where, f"this {either} is not understood")
        found = [self._type(each, where, above) for each in listed if each != _NULL]
        nullable = _NULL in listed or bool(schema.get("nullable")) or any(null for _, null in found)
        types = [hint for hint, _ in found]
        if any(_base(hint) is str for hint in types):
            # Other texts are allowed too, so the listed ones say nothing more.
            types = [hint for hint in types if not _is_text_enum(hint)]
        structs = [
            hint for hint in types if isinstance(hint, type) and issubclass(hint, msgspec.Struct)
        ]
        if len(structs) > 1 or not types:
            raise DescriptionWrong(where, "objects of different kinds cannot be told apart")
        return Union[tuple(types)], nullable  # noqa: UP007 -- made from a list

    def _plain(self, schema: Mapping[str, Any], where: str, above: tuple[str, ...]) -> Any:
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            return _enum(values, where)
        kind = schema.get("type")
        if kind == "array":
            items, nullable = self._type(schema.get("items", {}), f"{where}[]", above)
            element: Any = items | None if nullable else items
            return _limited(list[element], schema, where)
        if kind == "object":
            if "properties" in schema:
                title = _text(schema, "title") or "Object"
                return self._object(schema, "".join(filter(str.isalnum, title)), (*above, where))
            return dict[str, Any]
        if kind is None and not set(schema) - _WORDS:
            return Any
        if kind not in _TYPES:
            raise DescriptionWrong(where, f"type {kind!r} is not understood")
        return _limited(_TYPES[kind], schema, where)


def _ordered(schema: Mapping[str, Any], properties: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of properties in the order in which fal shows them."""
    first = [each for each in schema.get("x-fal-order-properties", ()) if each in properties]
    return list(dict.fromkeys((*first, *properties)))


def _enum(values: Any, where: str) -> Any:
    texts = isinstance(values, list) and all(type(each) in (str, int) for each in values)
    if not texts or not values or len({type(each) for each in values}) > 1:
        raise DescriptionWrong(where, "values of an enum must be texts, or whole numbers")
    return Literal[tuple(values)]


def _limited(hint: Any, schema: Mapping[str, Any], where: str) -> Any:
    limits = {_LIMITS[key]: value for key, value in schema.items() if key in _LIMITS}
    if not limits:
        return hint
    if any(isinstance(value, bool) for value in limits.values()):
        raise DescriptionWrong(where, "its limits are bools, as OpenAPI 3.0 had them")
    try:
        limited = Annotated[hint, Meta(**limits)]
        msgspec.json.Decoder(limited)
    except (TypeError, ValueError) as error:
        raise DescriptionWrong(where, f"its limits are not understood: {error}") from None
    return limited


def _base(hint: Any) -> Any:
    """Return the type that is limited."""
    return getattr(hint, "__origin__", hint)


def _is_text_enum(hint: Any) -> bool:
    values = getattr(hint, "__args__", ())
    return _base(hint) is Literal and all(isinstance(each, str) for each in values)


def _text(schema: Mapping[str, Any], key: str) -> str | None:
    found = schema.get(key)
    return found if isinstance(found, str) else None
