"""The console's own files: the style sheet and two scripts, named by their content."""

from hashlib import sha256
from importlib import resources

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_NAMES = ("console.css", "console.js", "htmx.min.js", "icon.svg")
_FOREVER = "public, max-age=31536000, immutable"


def read(name: str) -> bytes:
    """Return the content of one of the files."""
    return resources.files("falgate.console").joinpath("static", name).read_bytes()


ASSETS = {
    f"{sha256(content).hexdigest()[:16]}/{name}": content
    for name, content in ((name, read(name)) for name in _NAMES)
}
"""Contents by the last part of their URLs: a browser that has one never asks again."""

URLS = {path.partition("/")[2]: f"/console/assets/{path}" for path in ASSETS}
"""URLs by name."""


@get("/assets/{digest:str}/{name:str}", include_in_schema=False)
async def asset(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Return a file; of an earlier version there is none."""
    content = ASSETS.get(f"{digest}/{name}")
    if content is None:
        raise NotFoundException
    kind = _TYPES[name.rpartition(".")[2]]
    return Response(content, media_type=kind, headers={"Cache-Control": _FOREVER})
