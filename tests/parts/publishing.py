"""A server in fal's place that publishes OpenAPI documents and unit prices."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Publisher:
    """What fal says now.

    Attributes:
        url: Of the documents.
        platform_url: Of the prices.
        documents: By endpoint; bytes are sent as they are.
        prices: The unit prices, by endpoint.
        keys: The Authorization header of each request.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/openapi.json"
        self.platform_url = f"http://127.0.0.1:{port}/v1"
        self.documents: dict[str, Any] = {}
        self.prices: dict[str, Any] = {}
        self.keys: list[str] = []

    def answer(self, target: str) -> tuple[int, bytes]:
        """Return the status and the body for a path with its query."""
        parts = urlsplit(target)
        (endpoint,) = parse_qs(parts.query)["endpoint_id"]
        if parts.path == "/v1/models/pricing":
            price: dict[str, Any] = {"endpoint_id": endpoint, "unit": "images"}
            price["unit_price"] = self.prices.get(endpoint)
            return 200, json.dumps({"prices": [price]}).encode()
        if endpoint not in self.documents:
            return 404, b'{"detail": "not found"}'
        document = self.documents[endpoint]
        return 200, document if isinstance(document, bytes) else json.dumps(document).encode()


@contextmanager
def publishing() -> Iterator[Publisher]:
    """Publish for as long as a block."""

    class Handler(BaseHTTPRequestHandler):
        """Answers as the publisher says."""

        def do_GET(self) -> None:
            """Answer."""
            publisher.keys.append(self.headers.get("Authorization", ""))
            status, body = publisher.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        publisher = Publisher(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield publisher
        finally:
            server.shutdown()
            thread.join()
