"""Where a gateway listens: one address, or every one of IPv4 and IPv6."""

import socket

import pytest

from falgate import listeners, settings


@pytest.mark.parametrize("host", ["*", "[::]"])
def test_every_address_is_those_of_both_kinds(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chosen = settings.read({"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_LISTEN": f"{host}:{port}"})
    [[listening]] = [each.http for each in listeners.bind(chosen)]

    with listening:
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as caller:
                assert caller.connect_ex((address, port)) == 0


def test_an_address_that_cannot_be_had_is_named_as_it_was_given() -> None:
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", 0))
        taken.listen()
        listen = f"[::1]:{taken.getsockname()[1]}"
        chosen = settings.read({"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_LISTEN": listen})
        with pytest.raises(listeners.PortTaken) as refused:
            listeners.bind(chosen)

    assert str(refused.value).startswith(f"Cannot listen on {listen} (")
