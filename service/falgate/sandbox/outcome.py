"""The outcome of a finished request: its pictures, its response and its cost."""

import math
from typing import Any

import msgspec
import pybase64

from falgate.core.money import Micros
from falgate.core.picture import EXTENSIONS
from falgate.models import price
from falgate.models.spec import Expected, ModelSpec
from falgate.sandbox import refusals
from falgate.sandbox.answer import Answer, said
from falgate.sandbox.beside import beside
from falgate.sandbox.drawing import Sheet, draw
from falgate.sandbox.record import Record, life

_CHOSEN = {"portrait_16_9": (720, 1_280), "landscape_16_9": (1_280, 720), "square": (816, 816)}
_CHOSEN_ELSE = (1_248, 832)
_OTHER_FORMAT = {"image/png": "image/jpeg", "image/jpeg": "image/webp", "image/webp": "image/png"}


def delivered(record: Record, spec: ModelSpec) -> int:
    """Return how many pictures the request will end with."""
    course = life(record)
    if course.ending != "worked" or math.isinf(course.ends_s):
        return 0
    asked = spec.asked(_arguments(record, spec))
    outcome = record.behaviour.outcome
    if outcome == "no_pictures" or refusals.model_status(outcome) is not None:
        return 0
    return asked + {"too_few": -1, "too_many": 1}.get(outcome, 0)


def billed(record: Record, spec: ModelSpec, now_s: float) -> Micros:
    """Return the request's cost so far; 0 before its end, and if it was never worked on."""
    course = life(record)
    if not record.accepted or course.ending != "worked" or course.status(now_s) != "COMPLETED":
        return 0
    arguments = _arguments(record, spec)
    number = delivered(record, spec)
    percent = record.behaviour.billed_percent
    if percent is None:
        percent = 100 if number else 0
    asked = number or spec.asked(arguments)
    sizes = [_size(spec, arguments)] * asked
    return price.cost(spec, arguments, asked, sizes) * percent // 100


def failure(record: Record) -> Answer | None:
    """Return the response of a request that ends without pictures, or None."""
    match life(record).ending:
        case "rejected":
            return refusals.rejected(record)
        case "expired":
            return refusals.expired(record)
        case "cancelled":
            return refusals.platform(499, record.id)
        case "worked":
            model_status = refusals.model_status(record.behaviour.outcome)
            return refusals.model(record) if model_status is not None else None


def result(record: Record, spec: ModelSpec, base_url: str) -> Answer:
    """Return the response that a finished request ends with."""
    units = record.behaviour.units
    answer = failure(record)
    if answer is None:
        number = delivered(record, spec)
        files = [_file(record, spec, index, base_url) for index in range(number)]
        pictures = next(iter(files), None) if spec.lone else files
        body = {
            spec.pictures: pictures,
            **beside(spec, _arguments(record, spec), record.id, number),
        }
        answer = said(200, body, record.id)
        units = f"{number:.1f}" if units is None else units
    if units is None:
        return answer
    headers = {**answer.headers, "x-fal-billable-units": units}
    if not units:
        del headers["x-fal-billable-units"]
    return msgspec.structs.replace(answer, headers=headers)


def picture(record: Record, spec: ModelSpec, index: int) -> bytes:
    """Return the bytes of one picture."""
    arguments = _arguments(record, spec)
    expected = spec.expected(arguments)
    outcome = record.behaviour.outcome
    content_type, (width, height) = content_type_of(expected), _size(spec, arguments)
    if outcome == "wrong_format":
        content_type = _OTHER_FORMAT[content_type]
    if outcome == "wrong_size":
        width, height = width // 2, height // 2
    told = msgspec.to_builtins(arguments)
    text = told.pop(spec.prompt, "")
    for name in spec.unkeyed:
        told.pop(name, None)
    hidden = {each.argument for each in spec.inputs}
    caption = [spec.title, *(str(value) for name, value in told.items() if name not in hidden)]
    caption.append(f"{index + 1} of {delivered(record, spec)}")
    # A later purchase of the same prompt brings different pictures, as at fal.
    seeded = spec.is_seeded(arguments)
    seed = [spec.endpoint, text, told, index + (0 if seeded else record.earlier)]
    if not (seeded or record.behaviour.repeatable):
        seed.append(record.id)
    sheet = Sheet(
        seed=msgspec.json.encode(seed).decode(),
        content_type=content_type,
        width=width,
        height=height,
        transparent=told.get("background") == "transparent" and content_type != "image/jpeg",
        text=text,
        caption=" · ".join(caption),
        thumbnails=tuple(record.thumbnails),
    )
    return draw(sheet)


def content_type(record: Record, spec: ModelSpec) -> str:
    """Return the media type of the pictures, as the response states it."""
    return content_type_of(spec.expected(_arguments(record, spec)))


def content_type_of(expected: Expected) -> str:
    """Return the media type that is drawn; a PNG where the model may choose."""
    return expected.content_type or "image/png"


def _file(record: Record, spec: ModelSpec, index: int, base_url: str) -> dict[str, Any]:
    arguments = _arguments(record, spec)
    content_type = content_type_of(spec.expected(arguments))
    name = f"{index}.{EXTENSIONS[content_type]}"
    if spec.wants_inline(arguments):
        encoded = pybase64.b64encode_as_string(picture(record, spec, index))
        url = f"data:{content_type};base64,{encoded}"
    else:
        url = f"{base_url}/files/b/{record.id}/{name}"
    width, height = _size(spec, arguments)
    return {
        "url": url,
        "content_type": content_type,
        "file_name": name,
        "width": width,
        "height": height,
    }


def _size(spec: ModelSpec, arguments: Any) -> price.Pixels:
    """Return the size that was asked for, or chosen here as the model would."""
    expected = spec.expected(arguments)
    if expected.width:
        return expected.width, expected.height
    if spec.priced_sizes:
        across, _, down = spec.priced_sizes[-1].partition("x")
        return int(across), int(down)
    width, height = _CHOSEN.get(str(getattr(arguments, spec.size, "")), _CHOSEN_ELSE)
    if width * height <= expected.pixels_max:
        return width, height
    side = math.isqrt(expected.pixels_max)
    return side, side


def _arguments(record: Record, spec: ModelSpec) -> Any:
    return msgspec.convert(record.arguments, spec.input)
