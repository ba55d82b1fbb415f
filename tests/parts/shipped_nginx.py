"""nginx as `deploy/nginx/` ships it, with the addresses and places of a test."""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import certifi
import httpx
from patience import PATIENCE_S
from plain_nginx import MAIN, program
from processes import reserved_port
from tree import ROOT

SHIPPED = ROOT / "deploy" / "nginx"
CHECKED, UNSIGNED, BUCKET = "pictures.conf", "pictures-unsigned.conf", "pictures-bucket.conf"


def _laid_out(folder: Path, pictures: str, replaced: Mapping[str, str]) -> list[str]:
    """Copy the files to where they say that they belong; return the command."""
    (folder / "conf.d").mkdir()
    (folder / "snippets" / "falgate").mkdir(parents=True)
    (folder / "nginx.conf").write_text(
        MAIN.format(folder=folder, level="warn", rest="include conf.d/falgate.conf;")
    )
    sources = {SHIPPED / "falgate.conf": "conf.d", SHIPPED / pictures: "snippets/falgate"}
    text = {source: source.read_text() for source in sources}
    known = {
        "snippets/falgate/pictures.conf;": f"snippets/falgate/{pictures};",
        "/etc/ssl/certs/ca-certificates.crt": certifi.where(),
    }
    for old, new in {**known, **replaced}.items():
        text = {source: content.replace(old, new) for source, content in text.items()}
    for source, content in text.items():
        (folder / sources[source] / source.name).write_text(content)
    return [program(), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def verdict(pictures: str) -> "subprocess.CompletedProcess[str]":
    """Return what `nginx -t` says of the files as they are shipped, but for the port."""
    with tempfile.TemporaryDirectory() as name, reserved_port() as port:
        command = _laid_out(Path(name), pictures, {"listen 80;": f"listen 127.0.0.1:{port};"})
        return subprocess.run(
            [*command, "-t"], capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )


@contextmanager
def nginx_before(host: str, pictures: str, replaced: Mapping[str, str]) -> Iterator[str]:
    """Run nginx in front of a gateway until the block ends.

    Args:
        host: host:port of the gateway.
        pictures: The name of the file that sends pictures.
        replaced: What else to replace in the files, with what.

    Yields:
        What URLs of nginx begin with.
    """
    with tempfile.TemporaryDirectory() as name, reserved_port() as port:
        own = {"127.0.0.1:8080": host, "listen 80;": f"listen 127.0.0.1:{port};"}
        process = subprocess.Popen(_laid_out(Path(name), pictures, {**own, **replaced}))
        try:
            _until_up(process, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _until_up(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "nginx has said why it did not start"
        assert time.monotonic() < deadline_s
        try:
            asked = httpx.get(f"{url}/healthz", trust_env=False, timeout=PATIENCE_S)
            assert asked.status_code == 200
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
