"""Input pictures: uploaded by the client's own calls, then edited; and what is refused."""

import base64
from typing import Any

import pytest

EVERY = ("python", "python-async", "javascript", "javascript-fetch")
PYTHON = ("python", "python-async")
PROXIED = ("javascript-proxied", "javascript-proxyurl>=1.10.0", "javascript-browser")
EDIT = "openai/gpt-image-2/edit"
EDITS = (
    EDIT,
    "openai/gpt-image-2.5/flare/edit",
    "openai/gpt-image-2.5/sunburst/edit",
    "fal-ai/gpt-image-1.5/edit",
)


def upload(app: Any, data: str, call: str = "upload", **options: Any) -> Any:
    """An upload by a client."""
    about = {"data": data, "content_type": "image/png", "options": options}
    return app.call({"call": call, **about})


def edited(app: Any, url: str, model: str = EDIT, **target: str) -> Any:
    """An edit of what is behind a URL."""
    return app.make("run", {"image_urls": [url]}, model=model, **target)


@pytest.mark.works("upload, edit", *EVERY, *PROXIED)
def test_what_is_uploaded_can_be_edited_by_every_model(app: Any, picture: str) -> None:
    url = upload(app, picture).result

    for model in EDITS:
        assert len(edited(app, url, model).images) == 1
    assert len(app.world.bought(app.prompt)) == len(EDITS)


@pytest.mark.works("upload_file, edit", *PYTHON)
def test_a_file_is_uploaded_and_edited(app: Any, picture: str) -> None:
    url = upload(app, picture, "upload_file").result

    assert len(edited(app, url).images) == 1


@pytest.mark.works("upload to `fal`, edit", "python>=1", "python-async>=1")
def test_the_clients_other_repository_leads_here_too(app: Any, picture: str) -> None:
    answer = upload(app, picture, repository="fal", fallback_repository=[])

    assert answer.asked == ["upload", "upload"]
    assert len(edited(app, answer.result).images) == 1


@pytest.mark.works("Blob in the input", "javascript", "javascript-fetch", *PROXIED)
def test_a_blob_in_the_input_is_uploaded_on_the_way(app: Any, picture: str) -> None:
    arguments = {"prompt": app.prompt, "quality": "low"}
    call = {"call": "edit", "model": EDIT, "arguments": arguments, "content_type": "image/png"}
    answer = app.call({**call, "blobs": [picture]})

    assert len(answer.images) == 1
    assert answer.asked == ["upload", "upload", "run"]


@pytest.mark.works("upload, no picture", *EVERY, *PROXIED)
def test_what_is_no_picture_is_the_clients_own_error(app: Any) -> None:
    said = upload(app, base64.b64encode(b"%PDF-1.7").decode()).said

    assert not said["ok"]
    if app.is_python:
        assert "HTTPStatusError" in said["classes"] or "FalClientError" in said["classes"], said
    else:
        assert "ApiError" in said["classes"], said
    assert said["status"] == 422


@pytest.mark.works("upload, too large", *EVERY, *PROXIED)
def test_too_large_a_file_is_the_clients_own_error(app: Any) -> None:
    said = upload(app, base64.b64encode(bytes(app.world.input_bytes_max + 1)).decode()).said

    assert (said["ok"], said["status"]) == (False, 413), said


@pytest.mark.works("edit, another app's upload", *EVERY, *PROXIED)
def test_an_upload_is_an_input_of_its_own_app_only(app: Any, picture: str) -> None:
    url = upload(app, picture).result

    said = edited(app, url, key=app.world.distinct_key).said

    assert (said["ok"], said["status"]) == (False, 422), said
    assert [problem["loc"] for problem in said["body"]["detail"]] == [["body", "image_urls", 0]]


@pytest.mark.works("upload in parts", "python", "python-async", "javascript")
def test_an_upload_in_parts_ends_before_the_first_part(app: Any) -> None:
    answer = app.call({"call": "upload", "size": 101 * 2**20, "content_type": "image/png"})

    assert (answer.said["ok"], answer.said["status"]) == (False, 413), answer.said
    assert answer.steps == ["upload"]
    assert len(answer.asked) <= 2  # Python asks for a token first
