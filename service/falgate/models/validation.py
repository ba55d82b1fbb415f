"""Validation of bodies that msgspec rejects: as FastAPI and pydantic do it at fal."""

import json
import re
from typing import Any

import msgspec
from pydantic import ValidationError

from falgate.core.bounds import NESTING_MAX
from falgate.core.errors import InputRejected
from falgate.models.schema import adapter_of
from falgate.models.spec import ModelSpec

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def validated(spec: ModelSpec, body: bytes, *, as_json: bool) -> tuple[Any, tuple[str, ...]]:
    """Validate a body as FastAPI does, which takes one not declared as JSON for a plain string.

    Return an instance of the model's `input`, and the names of unknown fields, sorted.

    Raises:
        InputRejected: With every problem, in a form that can be encoded as JSON.
    """
    if not body:
        missing = {"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}
        raise InputRejected([missing])
    given: Any = _loaded(body) if as_json else body.decode(errors="replace")
    try:
        twin = adapter_of(spec.input).validate_python(given, from_attributes=True)
    except ValidationError as error:
        issues = error.errors(include_url=False)
    else:
        arguments = msgspec.convert(twin.model_dump(exclude_unset=True), spec.input)
        unknown = given.keys() - spec.input.__struct_encode_fields__
        return arguments, tuple(sorted(map(_whole, unknown)))
    # Raised outside the `except`, so that pydantic's error, which quotes the prompt, is no context.
    raise InputRejected(_encodable([{**each, "loc": ["body", *each["loc"]]} for each in issues]))


def _loaded(body: bytes) -> Any:
    """Parse the body as leniently as Python's JSON reader: a BOM, UTF-16 and NaN are accepted.

    Unlike FastAPI, which answers 400 without a reason to the last three problems, say what is
    wrong.
    """
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        issue = _unreadable(error.pos, error.msg)
    except UnicodeDecodeError as error:
        issue = _unreadable(error.start, "Invalid encoding")
    except RecursionError:
        issue = _unreadable(0, "Nested too deeply")
    except ValueError:  # Python limits the digits of a number, which take quadratic time.
        issue = _unreadable(0, "Number too long")
    raise InputRejected([issue])


def _unreadable(position: int, reason: str) -> dict[str, Any]:
    """Return FastAPI's error for a body that is not JSON."""
    return {
        "type": "json_invalid",
        "loc": ["body", position],
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": reason},
    }


def _encodable(issues: list[dict[str, Any]]) -> Any:
    """Return the issues without anything that JSON cannot represent.

    Infinities and NaN may stay: they are encoded as null.
    """
    if _nesting(issues) > NESTING_MAX:
        return [_unreadable(0, "Nested too deeply")]
    return json.loads(_whole(json.dumps(issues, ensure_ascii=False, default=str)))


def _whole(text: str) -> str:
    """Return the text with lone surrogates, which have no UTF-8 form, replaced."""
    return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", text)


def _nesting(value: Any) -> int:
    """Return how deeply lists and objects are nested; iterative, because they may be very deep."""
    depth, level = 0, [value]
    while outer := [item for item in level if isinstance(item, dict | list)]:
        level = [
            inner for each in outer for inner in (each if isinstance(each, list) else each.values())
        ]
        depth += 1
    return depth
