"""An HTTP/1.1 server for one ASGI application: llhttp parses, this package validates and enforces.

`docs/edge.md` lists its guarantees. The package knows nothing of the application it serves.

- `limits`: all limits and deadlines, in one struct.
- `framing`: what a request's head must be (pure).
- `parser`: from bytes to messages (no sockets, no time).
- `wire`: the bytes of one connection: sending, deadlines, closing.
- `feeding`: from these bytes to the parser.
- `connection`: one connection: requests in order.
- `shortcut`: what may answer a request before the application.
- `exchange`: one request and its response, as ASGI sees them.
- `scope`: the ASGI scope.
- `status`: status lines, and the server's own refusals.
- `connections`: state shared by all connections: admission, the clock, shutdown.
- `listener`: listening sockets and TLS.
- `handshakes`: how a listening socket is closed without losing a connection.
- `descriptors`: how many connections are possible.
"""

# Why not an existing server: uvicorn (with httptools or h11), granian and hypercorn were run with
# the same raw test cases, and none kept every guarantee. uvicorn, for example, reads the body after
# an upgrade offer as further requests: behind a proxy that reuses connections, one caller would get
# another's response. It also has no deadline for a slow head, body or reader.

from falgate.http.server.connections import Connections
from falgate.http.server.descriptors import room_for_connections
from falgate.http.server.exchange import Message, Whole
from falgate.http.server.handshakes import HANDSHAKE_S
from falgate.http.server.limits import Limits
from falgate.http.server.listener import Listener
from falgate.http.server.parser import Request
from falgate.http.server.shortcut import Shortcut

__all__ = [
    "HANDSHAKE_S",
    "Connections",
    "Limits",
    "Listener",
    "Message",
    "Request",
    "Shortcut",
    "Whole",
    "room_for_connections",
]
