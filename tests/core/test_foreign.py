"""Files of fal's that are handed on as they are: typed, bounded, and from where they may come."""

from typing import Any

import msgspec
import pytest
from shop import SPEC

from falgate.core.picture import foreign_file
from falgate.jobs import answer
from falgate.jobs.job import Job, Order

URL = "https://v3.fal.media/files/b/x/0.png?a=b"
WHOLE = {
    "url": URL,
    "content_type": "image/png",
    "file_name": "0a-b_c.png",
    "file_size": 4404019,
    "width": 1024,
    "height": 1024,
}


def test_a_file_of_the_right_form_is_handed_on_as_it_is() -> None:
    assert foreign_file(WHOLE) == WHOLE
    assert foreign_file({"url": URL}) == {"url": URL}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("file_name", "../../x"),
        ("file_name", ".htaccess"),
        ("file_name", "a" * 129),
        ("file_name", "a\r\nb.png"),
        ("file_name", ["x"]),
        ("content_type", "text/html"),
        ("content_type", "image/" + "a" * 41),
        ("content_type", "image/png; charset=<script>"),
        ("content_type", 7),
        ("file_size", "4"),
        ("file_size", -1),
        ("file_size", 2**63),
        ("width", True),
        ("height", 1.5),
        ("prompt", "a fox"),
        ("metadata", {"a": {"b": "c"}}),
    ],
)
def test_a_field_of_another_form_is_left_out(name: str, value: Any) -> None:
    rest = {key: each for key, each in WHOLE.items() if key != name}
    assert foreign_file({**WHOLE, name: value}) == rest


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//v3.fal.media/0.png",
        'https://v3.fal.media/"><script>',
        "https://v3.fal.media/a b",
        "https://v3.fal.media/\n",
        "https://v3.fal.media/" + "x" * 2001,
        "https://v3.fal.media/\u00e9",
        "",
    ],
)
def test_a_url_of_another_form_is_not_handed_on(url: str) -> None:
    assert foreign_file({**WHOLE, "url": url}) is None


def _unbanked(*urls: str) -> Job:
    order = Order(
        id="j", upstream="fal", endpoint=SPEC.endpoint, fingerprint="f", generation=0, team="t",
        app="a", key="k", asked=len(urls), reused=0, number=len(urls), held=1, listed=1,
        price_version="1", input={}, recorded={},
    )  # fmt: skip
    output = {"images": [{"url": url} for url in urls]}
    return Job(
        order=order, accounts=(), state="paid", owner="o", epoch=1, windows=(), began_ms=0,
        output=output, trouble="unbanked",
    )  # fmt: skip


def test_only_files_that_may_be_fetched_are_handed_on() -> None:
    elsewhere = "http://169.254.169.254/latest/meta-data"
    job = _unbanked(elsewhere, URL, "javascript:alert(1)")

    brought = answer.delivered(SPEC, job, lambda url: url == URL)

    assert brought == answer.Delivery(foreign=({"url": URL},))
    assert answer.delivered(SPEC, _unbanked(elsewhere), lambda _: False) is None
    assert answer.delivered(SPEC, msgspec.structs.replace(job, trouble=""), lambda _: True) is None
