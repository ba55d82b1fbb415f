"""Request bodies: parsed into typed arguments, or refused in the words of fal's framework.

fal validates with FastAPI and pydantic. Almost every body is valid, and msgspec reads those in
about a microsecond. Any other takes the same path as at fal: pydantic decides whether it is
accepted after all, and words what is wrong.
"""

import functools
import json
import re
from email.message import Message
from typing import Any

import msgspec
from pydantic import ValidationError

from falgate.core.bounds import NAME_MAX, NAMES_MAX, NESTING_MAX
from falgate.core.errors import InputRejected
from falgate.models.schema import adapter_of
from falgate.models.spec import ModelSpec

# Reads the names of a body's top-level fields and leaves their values unparsed.
_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOKEN = re.compile(rf"[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{NAME_MAX}}}")
_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Parsed(msgspec.Struct, frozen=True):
    """A valid request body.

    Attributes:
        arguments: An instance of the model's `input`.
        dropped: Names of the top-level fields that the model does not know, sorted. Like fal,
            falgate accepts and ignores them.
    """

    arguments: Any
    dropped: tuple[str, ...]

    @property
    def ignored(self) -> str:
        """The dropped names as a header value: only those that are tokens, and not too many."""
        return ", ".join([name for name in self.dropped if _TOKEN.fullmatch(name)][:NAMES_MAX])


def read(spec: ModelSpec, body: bytes, content_type: str | None) -> Parsed:
    """Parse the arguments of a request.

    Raises:
        InputRejected: With every problem, in a form that can be encoded as JSON.
    """
    if _is_json(content_type):
        try:
            arguments = _decoder_of(spec.input).decode(body)
            # msgspec skips unknown fields unchecked, bad UTF-8 included: pydantic reads them again.
            if _NAMES.decode(body).keys() <= set(spec.input.__struct_encode_fields__):
                return Parsed(arguments, ())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # Perhaps invalid: pydantic decides below.
    return _read_as_fal(spec, body, content_type)


@functools.cache
def _decoder_of(struct: type[msgspec.Struct]) -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(struct)


def _read_as_fal(spec: ModelSpec, body: bytes, content_type: str | None) -> Parsed:
    """Validate a body as FastAPI does, which takes one not declared as JSON for a plain string."""
    if not body:
        missing = {"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}
        raise InputRejected([missing])
    given: Any = _loaded(body) if _is_json(content_type) else body.decode(errors="replace")
    try:
        twin = adapter_of(spec.input).validate_python(given, from_attributes=True)
    except ValidationError as error:
        issues = error.errors(include_url=False)
    else:
        arguments = msgspec.convert(twin.model_dump(exclude_unset=True), spec.input)
        unknown = given.keys() - spec.input.__struct_encode_fields__
        return Parsed(arguments, tuple(sorted(map(_whole, unknown))))
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


def _is_json(content_type: str | None) -> bool:
    """Return whether FastAPI would read a body of this type as JSON; without a type, no."""
    if content_type == "application/json":
        return True
    if not content_type:
        return False
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )


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
