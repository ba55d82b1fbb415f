"""A sandbox on a free port, for as long as a test runs."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from patience import PATIENCE_S
from shipped import SHIPPED

from falgate.models.endpoints import MODELS
from falgate.sandbox.app import create_sandbox

KEY = {"Authorization": "Key id:secret"}


@contextmanager
def _served(options: dict[str, Any], threads: list[threading.Thread]) -> Iterator[httpx.Client]:
    app = create_sandbox({**MODELS, **SHIPPED}, **options)
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", proxy_headers=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    threads.append(thread)
    try:
        # The socket listens already: a call waits in its backlog until the server is there.
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=KEY, timeout=PATIENCE_S
        ) as client:
            yield client
    finally:
        server.should_exit = True


@pytest.fixture(scope="session")
def leaving() -> Iterator[list[threading.Thread]]:
    """Servers that were told to stop; they take a tenth of a second, which no test waits for."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture
def serve(leaving: list[threading.Thread]) -> Iterator[Callable[..., httpx.Client]]:
    """Starts a sandbox with these options of `create_sandbox`, and gives a client of it."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(_served(options, leaving))
