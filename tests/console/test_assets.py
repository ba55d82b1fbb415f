"""The console's own files: pinned, cached for ever, and none from elsewhere."""

import re
from hashlib import sha256

import httpx

from falgate.console.assets import URLS, read

HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
"""Of htmx 2.0.11, as its package has it in dist/htmx.min.js."""


def test_htmx_is_the_file_that_was_published() -> None:
    assert sha256(read("htmx.min.js")).hexdigest() == HTMX


def test_files_are_named_by_their_content_and_kept_for_ever(admin: httpx.Client) -> None:
    for name, url in URLS.items():
        answer = admin.get(url.removeprefix("/console"))
        assert answer.content == read(name)
        assert "immutable" in answer.headers["cache-control"]
    former = re.sub("[0-9a-f]{16}", "0" * 16, URLS["console.css"])
    assert admin.get(former.removeprefix("/console")).status_code == 404


def test_pages_ask_for_nothing_but_these(admin: httpx.Client) -> None:
    page = admin.get("/").text
    asked = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"]*)"', page)

    assert {*asked} == {*URLS.values()}
    assert not re.findall(r"<script(?![^>]* src=)| style=| on[a-z]+=", page)
