"""The documentation page: Swagger UI from its package, with no outside assets.

The content security policy lets a browser run and frame only what this gateway serves, so that a
script smuggled into the OpenAPI document, or a page that frames this one, gains nothing.
"""

from importlib import resources
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.params import FromPath

PATH = "/docs"

_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; "  # Swagger UI styles elements one by one
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_START = b"""SwaggerUIBundle({
  url: "/docs/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""
_PAGE = b"""<!DOCTYPE html>
<html lang="en">
  <head>
    <title>falgate</title>
    <link rel="icon" href="data:,">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link href="/docs/assets/swagger-ui.css" rel="stylesheet">
  </head>
  <body>
    <div id="page"></div>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script src="/docs/assets/swagger-ui-standalone-preset.js"></script>
    <script src="/docs/assets/start.js"></script>
  </body>
</html>
"""
_SCRIPT = "text/javascript"
_ASSETS = {
    "swagger-ui-bundle.js": _SCRIPT,
    "swagger-ui-standalone-preset.js": _SCRIPT,
    "swagger-ui.css": "text/css",
}


class Page(OpenAPIRenderPlugin):
    """The page at `PATH`."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the same page for everybody; its script fetches the document."""
        del request, openapi_schema
        return _PAGE


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=True)
def asset(name: FromPath[str]) -> Response[bytes]:
    """Return a file of Swagger UI, or the script that starts it."""
    if name == "start.js":
        return Response(_START, media_type=_SCRIPT)
    if name not in _ASSETS:
        raise NotFoundException
    file = resources.files("swagger_ui").joinpath("static", name)
    return Response(file.read_bytes(), media_type=_ASSETS[name])


def page_router() -> Router:
    """Return the router of the page, its assets and the document, with their security headers."""
    return Router(PATH, route_handlers=[asset], response_headers=_HEADERS, include_in_schema=False)
