"""What the value of an input argument stands for, and what an error may quote of it."""

import base64

import pytest

from falgate.egress.target import rules
from falgate.inputs.source import Elsewhere, Inline, Refused, Served, Uploaded, shown, source

ANY = rules((), allow_http=False)
FAL = rules(("*.fal.media",), allow_http=False)
ID, HASH = "ab" * 16, "cd" * 32


def test_a_data_uri_is_its_bytes_whatever_type_it_claims() -> None:
    text = base64.b64encode(b"picture").decode()

    for head in ("data:image/png;base64,", "data:;base64,", "data:text/html;charset=utf-8;base64,"):
        found = source(head + text, None)
        assert isinstance(found, Inline)
        assert found.data() == b"picture"


@pytest.mark.parametrize("text", ["not base64!", "YQ", "YQ==YQ==", "\N{SNOWMAN}"])
def test_what_is_no_base64_has_no_bytes(text: str) -> None:
    found = source(f"data:image/png;base64,{text}", None)

    assert isinstance(found, Inline)
    assert found.data() is None


@pytest.mark.parametrize(
    "host", ["https://gateway", "http://127.0.0.1:8080", "https://a.example/fal"]
)
def test_an_upload_and_a_picture_are_known_under_every_name_of_the_gateway(host: str) -> None:
    assert source(f"{host}/inputs/{ID}", None) == Uploaded(ID)
    assert source(f"{host}/pictures/{HASH}.png", None) == Served(f"{HASH}.png", "", "")
    signed = f"{host}/pictures/{HASH}.webp?expires=7&signature=s"
    assert source(signed, None) == Served(f"{HASH}.webp", "7", "s")


def test_a_url_is_fetched_only_where_that_is_allowed() -> None:
    url = "https://v3b.fal.media/files/b/x.png"

    assert source(url, FAL) == Elsewhere(url)
    assert source(url, ANY) == Elsewhere(url)
    assert isinstance(source(url, None), Refused)
    assert isinstance(source("https://elsewhere.example/x.png", FAL), Refused)


@pytest.mark.parametrize(
    "value",
    [
        "http://v3b.fal.media/x.png",
        "https://user:secret@v3b.fal.media/x.png",
        "https://127.0.0.1/x.png",
        "https://[::1]/x.png",
        "https://10.0.0.1/x.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:127.0.0.1]/x.png",
        "https://2130706433/x.png",
        "https://0x7f.1/x.png",
        "file:///etc/passwd",
        "ftp://v3b.fal.media/x.png",
        "data:image/png,plain",
        "javascript:alert(1)",
        f"sha256:{HASH};1x1;image/png",
        "",
        " ",
        "x" * 3_000,
        f"https://v3b.fal.media/{'x' * 3_000}",
        f"https://gateway/inputs/{ID[:-1]}",
        f"https://gateway/pictures/{HASH}.svg",
    ],
)
def test_everything_else_is_refused_and_nothing_of_its_path_is_quoted(value: str) -> None:
    found = source(value, ANY)

    if value.startswith(("https://gateway",)):
        assert found == Elsewhere(value)  # another server's, by its form
    else:
        assert isinstance(found, Refused)
    for secret in ("secret", "passwd", "meta-data", HASH, ID[:-1], "x" * 100):
        assert secret not in shown(value)
