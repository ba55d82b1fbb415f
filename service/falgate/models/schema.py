"""The twin of a model's arguments in pydantic: it words problems, and coerces, as fal does."""

import functools
import types
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, create_model
from pydantic_core import PydanticKnownError

_LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length")


@functools.cache
def adapter_of(struct: type[msgspec.Struct]) -> TypeAdapter[BaseModel]:
    """What validates Python values against the twin of `struct`; built once."""
    return TypeAdapter(_twin(struct))


def _twin(struct: type[msgspec.Struct]) -> type[BaseModel]:
    """A pydantic model with the fields of `struct`, their order and their limits.

    Whether a field has a default is copied, the default itself is not: it stays the struct's, and
    what pydantic accepted is dumped without what was not given.
    """
    hints = get_type_hints(struct, include_extras=True)
    fields: dict[str, Any] = {
        field.encode_name: (_pydantic(hints[field.name]), ... if field.required else None)
        for field in msgspec.structs.fields(struct)
    }
    return create_model(struct.__name__, **fields)


def _pydantic(hint: Any) -> Any:
    """The same type in pydantic's terms: limits as its fields, structs as their twins."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _twin(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated and args[0] is not str:
        return Annotated[(_pydantic(args[0]), *map(_field, args[1:]))]
    if origin is Annotated or hint is str:
        # Last, because pydantic words the limits after a function differently.
        return Annotated[(str, *map(_field, args[1:]), AfterValidator(_require_unicode))]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_pydantic, args))]  # noqa: UP007 -- made from a tuple
    if origin in (list, dict):
        return origin[tuple(map(_pydantic, args))]
    return hint


def _field(meta: msgspec.Meta) -> Any:
    """The limits of `meta`; both libraries give them the same names."""
    given = {name: getattr(meta, name) for name in _LIMITS}
    return Field(**{name: limit for name, limit in given.items() if limit is not None})


def _require_unicode(text: str) -> str:
    """Refuse half surrogate pairs in the words of pydantic, which lets them through in Python.

    Such a prompt can be neither priced nor sent: it has no UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticKnownError("string_unicode") from None  # the cause quotes the prompt
    return text
