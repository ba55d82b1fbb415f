"""Request bodies: parsed into typed arguments, or refused in the words of fal's framework.

fal validates with FastAPI and pydantic. Almost every body is valid, and msgspec reads those in
about a microsecond. Any other takes the same path as at fal: pydantic decides whether it is
accepted after all, and words what is wrong.
"""

import functools
import re
from email.message import Message
from typing import Any

import msgspec

from falgate.core.bounds import NAME_MAX, NAMES_MAX
from falgate.core.errors import InputRejected
from falgate.models.refused import Problem
from falgate.models.spec import ModelSpec

# Reads the names of a body's top-level fields and leaves their values unparsed.
_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOKEN = re.compile(rf"[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{NAME_MAX}}}")


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
    parsed = _plain(spec, body, content_type)
    if parsed is None:
        # pydantic is loaded by the first body that msgspec rejects.
        from falgate.models.validation import validated  # noqa: PLC0415 - when it is needed

        parsed = Parsed(*validated(spec, body, as_json=_is_json(content_type)))
    arguments = spec.normalized(parsed.arguments)
    if problem := spec.problem(arguments):
        raise InputRejected([_issue(problem, parsed.arguments)])
    for files in spec.inputs:
        files.check_number(arguments)
    return parsed if arguments is parsed.arguments else Parsed(arguments, parsed.dropped)


def _plain(spec: ModelSpec, body: bytes, content_type: str | None) -> Parsed | None:
    """Parse a body that is valid JSON and has only known fields; None for any other."""
    if not _is_json(content_type):
        return None
    try:
        # msgspec skips unknown fields unchecked, bad UTF-8 and names beside ours included: pydantic
        # reads them again.
        body.decode()
        arguments = _decoder_of(spec.input).decode(body)
        if _NAMES.decode(body).keys() <= set(spec.input.__struct_encode_fields__):
            return Parsed(arguments, ())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # Perhaps invalid: pydantic decides.
    return None


def _issue(problem: Problem, arguments: Any) -> dict[str, Any]:
    """Word a problem as pydantic words that of a validator."""
    return {
        "type": "value_error",
        "loc": ["body", problem.argument],
        "msg": f"Value error, {problem.why}",
        "input": msgspec.to_builtins(getattr(arguments, problem.argument)),
        "ctx": {"error": {}},
    }


@functools.cache
def _decoder_of(struct: type[msgspec.Struct]) -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(struct)


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
