"""ASGI scopes: what a request and its connection look like to the application."""

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

from falgate.http.server.parser import Request


def ends_of(transport: asyncio.BaseTransport, peer: str, *, secure: bool) -> Mapping[str, Any]:
    """Return what the scopes of a connection's requests have in common; `peer` is its client."""
    server, client = map(transport.get_extra_info, ("sockname", "peername"))
    return {
        "server": server and (server[0], server[1]),
        "client": client and (peer, client[1]),
        "scheme": "https" if secure else "http",
    }


def scope_of(request: Request, ends: Mapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the scope of a request (ASGI 3.0, HTTP spec 2.3); `ends` is from `ends_of`."""
    path = request.head.path.decode("ascii")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.version,
        "method": request.method.decode("ascii"),
        "path": unquote(path) if "%" in path else path,
        "raw_path": request.head.path,
        "query_string": request.head.query,
        "root_path": "",
        "headers": request.fields,
        "state": {},
        **ends,
    }
