"""An HTTP/1.1 server for one ASGI application: llhttp parses, this package judges and promises.

`docs/edge.md` says what is promised. Nothing here knows what is served.

- `limits`: every bound and deadline, as one struct.
- `framing`: what a request's head must be (pure).
- `parser`: from bytes to messages (no socket, no time).
- `wire`: the bytes of one connection: sending, deadlines, ending.
- `connection`: one connection: requests in order.
- `exchange`: one request and its answer, as ASGI sees them.
- `connections`: what all connections share: admission, the clock, the stop.
- `listener`: sockets that accept, and TLS.
- `descriptors`: how many connections there can be.
"""

from falgate.http.server.connections import Connections
from falgate.http.server.descriptors import room_for_connections
from falgate.http.server.limits import Limits
from falgate.http.server.listener import Listener

__all__ = ["Connections", "Limits", "Listener", "room_for_connections"]
