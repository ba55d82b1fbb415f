"""Curl, in all the ways in which it may speak to a server of HTTP/1.1."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

MODEL = "/fal-ai/gpt-image-1.5"
LARGE = 5 * 1024 * 1024
SAID = "\n%{http_code} %{http_version} %{num_connects} %header{x-falgate-cache}"


def wish(padding: int = 0) -> bytes:
    """A body that nobody has sent before, made long by blanks."""
    body = {"prompt": f"a lighthouse {uuid4()}", "quality": "low", "output_format": "jpeg"}
    return json.dumps(body).encode() + b" " * padding


def said(out: bytes) -> list[str]:
    """What curl says of each answer, behind its body."""
    return [line.decode().strip() for line in out.splitlines() if line[:3].isdigit()]


def options(gateway: Any, key: str = "") -> list[str]:
    return [
        *("-H", f"Authorization: Key {key or gateway.key}"),
        *("-H", "Content-Type: application/json"),
        *("-w", SAID + "\n"),
    ]


@pytest.mark.parametrize("way", [[], ["--http2"]], ids=["1.1", "offering h2c"])
def test_a_purchase_and_a_hit_go_over_one_connection(
    way: list[str], curl: Any, gateway: Any
) -> None:
    url = gateway.url + MODEL

    done = curl(*way, *options(gateway), "--data-binary", wish().decode(), url, url)

    assert (done.returncode, done.stderr) == (0, b"")
    assert said(done.stdout) == ["200 1.1 1 miss", "200 1.1 0 hit"]


def test_a_client_of_http_1_0_gets_whole_answers(curl: Any, gateway: Any) -> None:
    url = gateway.url + MODEL

    done = curl("--http1.0", *options(gateway), "--data-binary", wish().decode(), url, url)

    assert (done.returncode, done.stderr) == (0, b"")
    assert [line.split()[0] for line in said(done.stdout)] == ["200", "200"]
    assert b"chunked" not in done.stdout


def test_a_client_that_speaks_only_http_2_fails_at_once(curl: Any, gateway: Any) -> None:
    done = curl("--http2-prior-knowledge", *options(gateway), gateway.url + "/healthz")

    assert done.returncode in {16, 52, 56, 92}  # the framing of HTTP/2, or no answer in it
    assert said(done.stdout) == ["000 0 1"]


@pytest.mark.parametrize("way", [[], ["--http2"]], ids=["1.1", "offering h2c"])
def test_a_body_is_sent_once_the_server_asks_for_it(
    way: list[str], curl: Any, gateway: Any, tmp_path: Path
) -> None:
    file = tmp_path / "body"
    file.write_bytes(wish(padding=100_000))

    done = curl(
        *way, "-v", *options(gateway), "-H", "Expect: 100-continue", "--expect100-timeout", "20",
        "--data-binary", f"@{file}", gateway.url + MODEL,
    )  # fmt: skip

    assert b"HTTP/1.1 100 Continue" in done.stderr
    assert said(done.stdout) == ["200 1.1 1 miss"]


def test_a_body_is_not_sent_where_the_answer_needs_none(
    curl: Any, gateway: Any, tmp_path: Path
) -> None:
    file = tmp_path / "body"
    file.write_bytes(bytes(LARGE))

    done = curl(
        *("-v", *options(gateway, key="fgk_wrong"), "-H", "Expect: 100-continue"),
        *("--expect100-timeout", "20", "-w", "\n%{http_code} %{size_upload}\n"),
        *("--data-binary", f"@{file}", gateway.url + MODEL),
    )

    assert done.returncode == 0
    assert said(done.stdout)[-1] == "401 0"


@pytest.mark.parametrize("way", [[], ["--http2"]], ids=["1.1", "offering h2c"])
def test_a_chunked_body_is_read(way: list[str], curl: Any, gateway: Any) -> None:
    done = curl(
        *way, "-X", "POST", *options(gateway), "-T", "-", gateway.url + MODEL,
        sent=wish(padding=100_000),
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")
    assert said(done.stdout) == ["200 1.1 1 miss"]


@pytest.mark.parametrize(
    "way", [["--data-binary"], ["-X", "POST", "-T"]], ids=["length", "chunked"]
)
def test_a_large_body_that_is_refused_early_does_not_hide_the_answer(
    way: list[str], curl: Any, gateway: Any
) -> None:
    source = "@-" if way == ["--data-binary"] else "-"

    done = curl(
        *options(gateway, key="fgk_wrong"), "-H", "Expect:", *way, source, gateway.url + MODEL,
        sent=bytes(LARGE),
    )  # fmt: skip

    assert [line.split()[0] for line in said(done.stdout)] == ["401"]


def test_head_has_no_body_and_keeps_the_connection(curl: Any, gateway: Any) -> None:
    url = gateway.url + "/healthz"

    done = curl("-I", *options(gateway), url, url)

    assert done.returncode == 0
    assert [line.split()[:3] for line in said(done.stdout)] == [
        ["200", "1.1", "1"],
        ["200", "1.1", "0"],
    ]
