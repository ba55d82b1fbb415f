"""The arguments of any model as fields of a form, and what such a form asks of the model; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pybase64

from falgate.console.forms import Form, Upload

CUSTOM = "(custom)"
"""The choice of an object that the fields below describe."""
_TEXTS, _JSON = frozenset({"text", "long_text"}), frozenset({"any", "list", "group"})
_CARRIED = frozenset({"long_text", "pictures"})
"""What is kept when another model is chosen: the prompt and input pictures; each has defaults."""
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,40}")
_ANY_TYPE = "application/octet-stream"


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """A field for an argument of a model.

    Attributes:
        id: Its name in the form, which begins with "a.".
        label: What people read beside it.
        kind: "long_text", "text", "number", "choice", "switch", "pictures", "group" or "json".
        value: What it shows; of a switch, whether it is on.
        hint: More words below it.
        required: Whether it must be given.
        options: Values of a choice, each with its words.
        custom: The fields of a choice that is `CUSTOM`, or of an object.
        accept: Media types of input pictures.
        many: Whether there may be several of those.
        advanced: Whether most people leave it as it is.
        errors: What is wrong with it, in fal's words.
    """

    id: str
    label: str
    kind: str
    value: Any = ""
    hint: str = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()
    custom: "Sequence[Argument]" = ()
    accept: str = ""
    many: bool = False
    advanced: bool = False
    errors: Sequence[str] = ()


def shown(
    model: Mapping[str, Any], form: Form, *, same: bool, errors: Sequence[Mapping[str, Any]] = ()
) -> list[Argument]:
    """Return the fields of a model's form, as the admin API describes it.

    Args:
        model: The form.
        form: What was entered, so that it is shown again.
        same: Whether that was entered for this model; of another one's, only `_CARRIED` is kept.
        errors: What the model refused, by `loc`.
    """
    return [_shown(each, _Place("a", 1, errors), form, same=same) for each in _asked(model)]


def arguments(model: Mapping[str, Any], form: Form, *, same: bool = True) -> dict[str, Any]:
    """Return the body of the request that a form describes; wrong values stay as they are.

    `same` says whether it is a form for this model; of another one's, only `_CARRIED` counts.
    """
    asked = [each for each in _asked(model) if same or _kind(each) in _CARRIED]
    return dict(_given(asked, "a", form))


def placed(model: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the ids of the fields that are wrong, each with what is wrong with it."""
    names = {each["name"] for each in _asked(model)}
    return [
        (
            f"a.{each['loc'][1]}" if len(each["loc"]) > 1 and each["loc"][1] in names else "",
            _why(each),
        )
        for each in errors
    ]


def _asked(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the fields that are shown: not what only asks for pictures as data URIs."""
    return [
        each for each in model["fields"] if not each["fixed"] and each["name"] != model["inline"]
    ]


class _Place(NamedTuple):
    """Where a field is: the name before its own, how deep that is, and what is wrong there."""

    name: str
    depth: int
    errors: Sequence[Mapping[str, Any]]

    def of(self, field: Mapping[str, Any]) -> "_Place":
        """Return the place of the fields of a field."""
        wrong = [each for each in self.errors if field["name"] in each["loc"][self.depth :][:1]]
        return _Place(f"{self.name}.{field['name']}", self.depth + 1, wrong)


def _shown(field: Mapping[str, Any], place: _Place, form: Form, *, same: bool) -> Argument:
    here = place.of(field)
    name, kind = here.name, _kind(field)
    value: Any = _text(field["default"])
    if kind == "switch":
        value = form.ticked(name) if same else bool(field["default"])
    elif form.ticked(name) and (same or kind in _CARRIED):
        value = form.raw(name)
    inner = {each["name"] for each in field["custom"]}
    own = [each for each in here.errors if not inner & set(each["loc"][here.depth :][:1])]
    return Argument(
        id=name,
        label=field["title"],
        kind=kind,
        value=value,
        hint=" ".join(_hints(field)),
        required=field["required"],
        options=_options(field),
        custom=[_shown(each, here, form, same=same) for each in field["custom"]],
        accept=",".join(field["picture_types"]),
        many=not field["one_picture"],
        advanced=field["advanced"],
        errors=[_why(each) for each in own],
    )


def _kind(field: Mapping[str, Any]) -> str:
    kind = "number" if field["kind"] == "whole" else str(field["kind"])
    return "json" if kind in _JSON and not field["custom"] else kind


def _options(field: Mapping[str, Any]) -> list[tuple[str, str]]:
    values = [_text(each) for each in field["values"]]
    options = [(each, each) for each in values]
    if field["default"] is None and not field["required"]:
        options.insert(0, ("", "not given"))
    if field["custom"]:
        options.append((CUSTOM, "custom, as below"))
    return options


def _hints(field: Mapping[str, Any]) -> Iterator[str]:
    if about := field["description"].strip():
        yield about if about.endswith((".", "!", "?", ")")) else f"{about}."
    least, most = field["minimum"], field["maximum"]
    if least is not None and most is not None:
        yield f"{least:g} to {most:g}."
    elif least is not None:
        yield f"{'Above' if field['above'] else 'At least'} {least:g}."
    elif most is not None:
        yield f"At most {most:g}."
    if field["step"]:
        yield f"A multiple of {field['step']:g}."
    if _kind(field) == "json":
        yield "As JSON."
    if field["mask_of"]:
        yield "A mask of the first input picture: what is transparent in it is made anew."


def _given(
    fields: Sequence[Mapping[str, Any]], before: str, form: Form
) -> Iterator[tuple[str, Any]]:
    for field in fields:
        value = _value(field, f"{before}.{field['name']}", form)
        if value is not None:
            yield field["name"], value


def _value(field: Mapping[str, Any], name: str, form: Form) -> Any:
    """Return the value of an argument; None if it is not given."""
    kind, text = _kind(field), form.raw(name)
    if kind == "pictures":
        return _pictures(field, [*map(_data_uri, form.files(name)), *text.split()])
    if kind == "switch":
        on = form.ticked(name)
        return on if on or field["default"] is not None else None
    if kind == "group" or (field["custom"] and text == CUSTOM):
        return dict(_given(field["custom"], name, form)) or ({} if text else None)
    if not text:
        # What was cleared is given as nothing, or else it would be the default again.
        cleared = kind in _TEXTS and field["default"] and form.ticked(name)
        return "" if cleared else None
    return _typed(field, kind, text)


def _typed(field: Mapping[str, Any], kind: str, text: str) -> Any:
    """Return what a text stands for; one that is wrong as it is, for the model to refuse."""
    if kind == "choice":
        return next((each for each in field["values"] if _text(each) == text), text)
    if kind == "number":
        return _number(text.strip())
    return _json(text) if kind == "json" else text


def _pictures(field: Mapping[str, Any], given: list[str]) -> Any:
    if field["one_picture"] and len(given) == 1:
        return given[0]
    return given or None


def _data_uri(file: Upload) -> str:
    media_type = file.media_type if _MEDIA_TYPE.fullmatch(file.media_type) else _ANY_TYPE
    return f"data:{media_type};base64,{pybase64.b64encode(file.data).decode()}"


def _number(text: str) -> int | float | str:
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def _why(error: Mapping[str, Any]) -> str:
    return str(error["msg"])
