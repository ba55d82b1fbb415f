"""`falgate client-env`: what it prints is right for the gateway, and works where it is pasted."""

import os
import shlex
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE_S

from falgate.accounts import apikey

MODEL = "openai/gpt-image-2"
KEY = apikey.mint("live", bytes(apikey.ID_BYTES), bytes(apikey.SECRET_BYTES))

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., AbstractContextManager[Any]]
Print = Callable[..., str]


@pytest.fixture(scope="module")
def gateway(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What `make run` serves."""
    folder = tmp_path_factory.mktemp("client-env")
    with start(folder / "data", folder) as serving:
        yield serving


@pytest.fixture
def printed(falgate: Command, tmp_path: Path) -> Print:
    """A function that types the command, on a machine without a gateway unless told otherwise."""

    def typed(*arguments: str, **settings: str) -> str:
        done = falgate("client-env", *arguments, **{"FALGATE_DATA_DIR": str(tmp_path), **settings})
        assert done.returncode == 0, done.stderr
        return done.stdout

    return typed


@pytest.fixture
def local(printed: Print, gateway: Any) -> Print:
    """A function that types it beside that gateway."""
    url = {"FALGATE_LISTEN": gateway.url.removeprefix("http://"), "FALGATE_TLS_LISTEN": gateway.tls}
    return lambda *arguments: printed(*arguments, FALGATE_DATA_DIR=str(gateway.data), **url)


def environment(lines: str) -> dict[str, str]:
    """What a shell exports once it was given these lines."""
    done = subprocess.run(
        ["sh", "-euc", f"{lines}\nenv -0"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(each.split("=", 1) for each in done.stdout.split("\0") if each)
    return {name: found[name] for name in found if name.startswith(("FAL", "SSL", "NODE", "REQ"))}


@pytest.mark.parametrize("show", ["--python", "--shell"])
def test_a_shell_is_set_up_for_the_local_gateway(local: Print, gateway: Any, show: str) -> None:
    tls = gateway.data / "tls"
    node = {"NODE_EXTRA_CA_CERTS": str(tls / "ca.pem")} if show == "--shell" else {}

    assert environment(local(show, "--key", KEY)) == {
        "FAL_KEY": KEY,
        "FAL_RUN_HOST": gateway.tls,
        "FAL_QUEUE_RUN_HOST": f"{gateway.tls}/queue",
        "SSL_CERT_FILE": str(tls / "bundle.pem"),
        "REQUESTS_CA_BUNDLE": str(tls / "bundle.pem"),
        **node,
    }


def test_what_run_prints_is_what_this_prints(local: Print, gateway: Any) -> None:
    said = gateway.banner
    curl = local("--curl", "--key", gateway.key).strip()
    python = [
        line for line in local("--python", "--key", gateway.key).splitlines() if line[0] != "#"
    ]

    assert curl in said.splitlines()
    assert len(python) == 3
    assert {f"  {line}" for line in python} <= set(said.splitlines())
    assert gateway.key not in local()


PYTHON = "import requests, sys; print(len(requests.get(sys.argv[1], timeout=30).content))"
NODE = """
fetch(process.argv[1]).then((answer) => answer.arrayBuffer())
  .then((bytes) => console.log(bytes.byteLength))
"""


@pytest.mark.parametrize("fetch", [[sys.executable, "-c", PYTHON], ["node", "-e", NODE]])
def test_a_picture_is_fetched_over_https_with_what_is_printed(
    local: Print, gateway: Any, fetch: list[str]
) -> None:
    trust = ssl.create_default_context(cafile=gateway.bundle)
    answer = httpx.post(
        f"https://{gateway.tls}/{MODEL}",
        json={"prompt": "over https", "quality": "low"},
        headers={"Authorization": f"Key {gateway.key}"},
        verify=trust,
        timeout=PATIENCE_S,
    )
    (image,) = answer.json()["images"]
    printed = environment(local("--shell", "--key", gateway.key))

    def fetched(env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*fetch, image["url"]],
            env={"PATH": os.environ["PATH"], **env},
            capture_output=True,
            text=True,
            check=False,
        )

    assert image["url"].startswith(f"https://{gateway.tls}/pictures/")
    with_it, without = fetched(printed), fetched({})
    assert with_it.stdout.strip() == str(image["file_size"]), with_it.stderr
    assert without.returncode != 0


def test_the_greeting_says_how_pictures_are_fetched(gateway: Any) -> None:
    tls = gateway.data / "tls"

    assert f"REQUESTS_CA_BUNDLE={tls / 'bundle.pem'}" in gateway.banner
    assert f"NODE_EXTRA_CA_CERTS={tls / 'ca.pem'}" in gateway.banner


def test_the_line_for_curl_works_as_it_stands(local: Print, gateway: Any) -> None:
    line = local("--curl", "--key", gateway.key)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)

    assert f'"url":"{gateway.url}/pictures/' in done.stdout


def test_no_key_is_invented(local: Print) -> None:
    for show in ("--python", "--js", "--curl"):
        text = local(show)
        assert "fg_live_..." in text
        assert text.count("fg_live_") == text.count("fg_live_...")


def test_a_shell_gets_the_key_that_is_kept_here(local: Print, gateway: Any) -> None:
    assert environment(local("--shell"))["FAL_KEY"] == gateway.key


@pytest.mark.parametrize("arguments", [[], ["--url", "https://gw.example"]], ids=["empty", "else"])
def test_a_shell_is_not_given_a_key_that_is_none(
    falgate: Command, gateway: Any, tmp_path: Path, arguments: list[str]
) -> None:
    data = gateway.data if arguments else tmp_path
    done = falgate("client-env", "--shell", *arguments, FALGATE_DATA_DIR=str(data))

    assert (done.returncode, done.stdout) == (2, "")
    assert "--key" in done.stderr


def test_all_of_it_is_shown_when_nothing_is_chosen(local: Print) -> None:
    everything = local("--key", KEY)

    for show in ("--python", "--js", "--curl"):
        assert local(show, "--key", KEY) in everything


def test_old_versions_are_told_what_they_need(local: Print, gateway: Any) -> None:
    python, javascript = local("--python"), local("--js")

    assert f"https://queue.{gateway.tls}" in python
    assert "0.11.0" in python
    assert f"NODE_EXTRA_CA_CERTS={gateway.data / 'tls' / 'ca.pem'}" in javascript
    proxy = f'"{gateway.url}/api/fal/proxy"'
    assert f'proxyUrl: {{ url: {proxy}, when: "always" }}' in javascript
    assert f"proxyUrl: {proxy} }}" in javascript
    assert f'.replace("https://queue.fal.run", "{gateway.url}/queue")' in javascript
    assert "1.10.0" in javascript


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (["--url", "https://gw.example/fal/"], {}),
        ([], {"FALGATE_PUBLIC_URL": "https://gw.example/fal"}),
        (["--url", "https://gw.example/fal"], {"FALGATE_PUBLIC_URL": "https://other.example"}),
    ],
)
def test_a_public_address_is_what_everybody_gets(
    printed: Print, arguments: list[str], settings: dict[str, str]
) -> None:
    assert environment(printed("--shell", "--key", KEY, *arguments, **settings)) == {
        "FAL_KEY": KEY,
        "FAL_RUN_HOST": "gw.example/fal",
        "FAL_QUEUE_RUN_HOST": "gw.example/fal/queue",
    }
    assert f"curl https://gw.example/fal/{MODEL} " in printed("--curl", *arguments, **settings)
    python = printed("--python", *arguments, **settings)
    assert "https://queue.gw.example" in python
    assert "FAL_RUN_HOST=gw.example\n" in python


def test_a_local_authority_is_none_of_a_public_address(local: Print, gateway: Any) -> None:
    public = local("--shell", "--key", KEY, "--url", "https://x.example:8443")
    here = local("--shell", "--key", KEY, "--url", "https://[::1]:8443")

    assert str(gateway.data) not in public
    assert str(gateway.data / "tls" / "bundle.pem") in here


@pytest.mark.parametrize("off", [False, True], ids=["address", "setting"])
def test_without_https_pythons_client_is_told_so(
    printed: Print, gateway: Any, *, off: bool
) -> None:
    here = {"FALGATE_DATA_DIR": str(gateway.data), "FALGATE_TLS_LISTEN": ""}
    url = () if off else ("--url", "http://127.0.0.1:8080")
    said = printed("--python", *url, **(here if off else {}))

    assert "only https" in said
    assert environment(said) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--key", "fg_live_x"],
        ["--key", "id:secret"],
        ["--key", apikey.mint("admin", bytes(apikey.ID_BYTES), bytes(apikey.SECRET_BYTES))],
        ["--url", "gw.example"],
        ["--url", "https://gw.example/$(true)"],
        ["--url", "https://gw.example/'"],
        ["--url", "https://user@gw.example"],
        ["--url", "https://gw.example/?x"],
    ],
    ids=shlex.join,
)
def test_what_is_no_key_and_no_url_is_refused(
    falgate: Command, tmp_path: Path, arguments: list[str]
) -> None:
    done = falgate("client-env", *arguments, FALGATE_DATA_DIR=str(tmp_path))

    assert done.returncode == 2
    assert done.stdout == ""
    assert arguments[1] not in done.stderr


def test_without_https_it_says_which_option_names_it(printed: Print) -> None:
    said = printed("--python").replace("\n# ", " ")

    assert "no https is known here. Give --url https://... of falgate" in said
