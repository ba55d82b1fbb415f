"""Whatever a caller writes is read at a cost that grows with its length, not with its square."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from growth import HOSTILE, square

from falgate.accounts import apikey
from falgate.cache import directives
from falgate.core.errors import Refusal
from falgate.egress.target import Rules, origin
from falgate.fal import options, paths
from falgate.http import byterange
from falgate.jobs import callback_url
from falgate.models import arguments
from falgate.models.endpoints import MODELS
from falgate.pictures import link
from falgate.webhooks import target

SPEC = next(iter(MODELS.values()))
NO_RULES = Rules()
SECRET = bytes(32)
ETAG = f'"{"0" * 64}"'


def body(text: str) -> object:
    return arguments.read(SPEC, text.encode(), "application/json")


def prompt(text: str) -> object:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", " ")
    return arguments.read(SPEC, f'{{"prompt": "{quoted}", "a": 1}}'.encode(), "application/json")


READERS: dict[str, Callable[[str], object]] = {
    "Authorization": lambda text: apikey.present(apikey.from_header(text) or ""),
    "Authorization, a key": lambda text: apikey.from_header(f"Key {text}"),
    "Cache-Control": lambda text: directives.read({"cache-control": text}),
    "X-Falgate-Variation": lambda text: directives.read({"x-falgate-variation": text}),
    "X-Falgate-Scope": lambda text: directives.read({"x-falgate-scope": text}),
    "X-Fal-Request-Timeout": lambda text: options.read({"x-fal-request-timeout": text}),
    "X-Fal-Queue-Priority": lambda text: options.read({"x-fal-queue-priority": text}),
    "X-Fal-Runner-Hint": lambda text: options.read({"x-fal-runner-hint": text}),
    "Range": lambda text: byterange.part(text, None, ETAG, 100),
    "If-Range": lambda text: byterange.part("bytes=0-1", text, ETAG, 100),
    "If-None-Match": lambda text: byterange.unchanged(text, ETAG),
    "Content-Type": lambda text: arguments.read(SPEC, b"{}", text),
    "fal_webhook": lambda text: target.check_target(text, NO_RULES),
    "fal_webhook, its origin": origin,
    "a hook's address": lambda text: callback_url.job_of(text, SECRET),
    "a link's end": lambda text: link.left_s("a.png", text, "x", SECRET, 0),
    "a link's signature": lambda text: link.left_s("a.png", "1", text, SECRET, 0),
    "a path": lambda text: paths.read(f"/queue/{text}", ""),
    "a path of a request": lambda text: paths.read(f"/queue/a/b/requests/{text}/status", text),
    "a body": body,
    "a prompt": prompt,
    "the price of a prompt": lambda text: SPEC.text_ceiling(SPEC.input(prompt=text), 4),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_text_costs_its_square(reader: str) -> None:
    def read(text: str) -> None:
        with suppress(Refusal):  # whatever it is: the cost is looked at
            READERS[reader](text)

    found = {name: seen for name, made in HOSTILE.items() if (seen := square(read, made))}

    assert found == {}


def test_a_square_is_seen() -> None:
    def read(text: str) -> int:
        return sum(text[:at].count("x") for at in range(len(text)))

    assert square(read, HOSTILE["a word"])
