"""A request's body as typed arguments, or every problem with it in the words of fal's framework.

fal validates with FastAPI and pydantic. Nearly every body is good, and msgspec reads those in about
a microsecond. Any other goes the way that it would go at fal: what pydantic accepts after all is
accepted, and what it refuses is refused in its words.
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

# What a body names, with its values left unread.
_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOKEN = re.compile(rf"[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{NAME_MAX}}}")
_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Parsed(msgspec.Struct, frozen=True):
    """What a body asks for.

    Attributes:
        arguments: An instance of the model's `input`.
        dropped: The names of top-level fields that the model does not know, sorted. They are
            accepted and left out, as fal does.
    """

    arguments: Any
    dropped: tuple[str, ...]

    @property
    def ignored(self) -> str:
        """Their names as they may stand in a header: tokens alone, and not without end."""
        return ", ".join([name for name in self.dropped if _TOKEN.fullmatch(name)][:NAMES_MAX])


def read(spec: ModelSpec, body: bytes, content_type: str | None) -> Parsed:
    """Read the arguments of a request.

    Raises:
        InputRejected: With every problem, each of which can be encoded as JSON.
    """
    if _is_json(content_type):
        try:
            arguments = _decoder_of(spec.input).decode(body)
            # msgspec skips what it does not know, bad UTF-8 and all: such bodies are read again.
            if _NAMES.decode(body).keys() <= set(spec.input.__struct_encode_fields__):
                return Parsed(arguments, ())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # Not good at first sight; what is wrong with it, if anything, is said below.
    return _read_as_fal(spec, body, content_type)


@functools.cache
def _decoder_of(struct: type[msgspec.Struct]) -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(struct)


def _read_as_fal(spec: ModelSpec, body: bytes, content_type: str | None) -> Parsed:
    """Do what FastAPI does with a body: one that does not claim to be JSON is a mere text."""
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
    # Raised out here, so that pydantic's own error, which quotes the prompt, is not part of it.
    raise InputRejected(_encodable([{**each, "loc": ["body", *each["loc"]]} for each in issues]))


def _loaded(body: bytes) -> Any:
    """The body as JSON, with what Python's reader allows: a BOM, UTF-16, NaN.

    FastAPI answers 400 without a reason to the last three problems.
    """
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        issue = _unreadable(error.pos, error.msg)
    except UnicodeDecodeError as error:
        issue = _unreadable(error.start, "Invalid encoding")
    except RecursionError:
        issue = _unreadable(0, "Nested too deeply")
    except ValueError:  # Python reads no longer ones: they would take quadratic time.
        issue = _unreadable(0, "Number too long")
    raise InputRejected([issue])


def _is_json(content_type: str | None) -> bool:
    """Whether FastAPI would read such a body as JSON; without a type it does not."""
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
    """FastAPI's words for a body that is not JSON."""
    return {
        "type": "json_invalid",
        "loc": ["body", position],
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": reason},
    }


def _encodable(issues: list[dict[str, Any]]) -> Any:
    """The issues without what has no JSON form, whatever the body had put into them.

    Infinities and NaN may stay: they are encoded as null.
    """
    if _nesting(issues) > NESTING_MAX:
        return [_unreadable(0, "Nested too deeply")]
    return json.loads(_whole(json.dumps(issues, ensure_ascii=False, default=str)))


def _whole(text: str) -> str:
    """The text with a replacement for each half of a surrogate pair: they have no UTF-8."""
    return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", text)


def _nesting(value: Any) -> int:
    """How many lists and objects lie inside one another; not recursive, as they may be many."""
    depth, level = 0, [value]
    while outer := [item for item in level if isinstance(item, dict | list)]:
        level = [
            inner for each in outer for inner in (each if isinstance(each, list) else each.values())
        ]
        depth += 1
    return depth
