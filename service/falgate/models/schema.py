"""Pydantic twins of the models' arguments, which coerce values and word errors as fal does."""

import functools
import types
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, create_model
from pydantic_core import PydanticKnownError

_LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length")


@functools.cache
def adapter_of(struct: type[msgspec.Struct]) -> TypeAdapter[BaseModel]:
    """Return the validator for the pydantic twin of `struct`; cached."""
    return TypeAdapter(_twin(struct))


def _twin(struct: type[msgspec.Struct]) -> type[BaseModel]:
    """Build a pydantic model with the same fields as `struct`, in order and with their limits.

    Only whether a field has a default is copied: the default itself stays with the struct, and
    values that pydantic accepted are dumped without the fields that were not given.
    """
    hints = get_type_hints(struct, include_extras=True)
    fields: dict[str, Any] = {
        field.encode_name: (_pydantic(hints[field.name]), ... if field.required else None)
        for field in msgspec.structs.fields(struct)
    }
    return create_model(struct.__name__, **fields)


def _pydantic(hint: Any) -> Any:
    """Convert a type to pydantic's terms: limits become fields, structs become twins."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _twin(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated and args[0] is not str:
        return Annotated[(_pydantic(args[0]), *map(_field, args[1:]))]
    if origin is Annotated or hint is str:
        # Last, because pydantic words limits differently when they follow a function.
        return Annotated[(str, *map(_field, args[1:]), AfterValidator(_require_unicode))]
    if origin in (Union, types.UnionType):
        given = [each for each in args if each is not msgspec.UnsetType]
        return Union[tuple(map(_pydantic, given))]  # noqa: UP007 -- made from a list
    if origin in (list, dict):
        return origin[tuple(map(_pydantic, args))]
    return hint


def _field(meta: msgspec.Meta) -> Any:
    """Convert the limits of `meta`, which have the same names in both libraries."""
    given = {name: getattr(meta, name) for name in _LIMITS}
    return Field(**{name: limit for name, limit in given.items() if limit is not None})


def _require_unicode(text: str) -> str:
    """Refuse lone surrogates in pydantic's words; pydantic itself accepts them from Python values.

    Such a prompt has no UTF-8 form, so it can neither be priced nor sent.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticKnownError("string_unicode") from None  # the cause quotes the prompt
    return text
