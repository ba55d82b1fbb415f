"""Where webhooks may go is decided when they are connected to, each time."""

import json
import socket
import ssl

import pytest
import trustme
from receiving import Listen, Make, Names, post

from falgate.egress.resolver import GuardedResolver, Resolver, TargetRefused, socket_to
from falgate.egress.target import rules
from falgate.webhooks.delivery import Attempt

ANY = rules((), allow_http=True)


async def test_a_name_that_leads_elsewhere_by_now_is_not_connected_to(
    listen: Listen, sender: Make
) -> None:
    private = await listen("127.0.0.1")
    # Nobody else uses this address, so what is free at the other one is free there.
    public = await listen("127.0.0.2", private.port)
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    webhooks = sender("127.0.0.2/32", lookups=names)
    url = f"http://hooks.example:{public.port}/"

    first, second = await post(webhooks, url), await post(webhooks, url)

    assert (first, second) == (Attempt(taken=True, said="200"), Attempt(False, "TargetRefused"))
    assert (public.connections, private.connections) == (1, 0)
    # Once for each: what was checked is what was connected to.
    assert names.asked == ["hooks.example", "hooks.example"]


async def test_of_several_addresses_only_those_that_are_allowed_are_tried(
    listen: Listen, sender: Make
) -> None:
    private = await listen("127.0.0.1")
    # Nobody else uses this address, so what is free at the other one is free there.
    public = await listen("127.0.0.2", private.port)
    names = Names(["127.0.0.1", "::1", "127.0.0.2"])

    attempt = await post(
        sender("127.0.0.2/32", lookups=names), f"http://hooks.example:{public.port}/"
    )

    assert attempt.taken
    assert (public.connections, private.connections) == (1, 0)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://127.1:{}/", "http://2130706433:{}/",
     "http://[::ffff:127.0.0.1]:{}/", "http://a@127.0.0.1:{}/", "ftp://127.0.0.1:{}/"],
)  # fmt: skip
async def test_this_machine_is_not_connected_to_by_any_of_its_names(
    url: str, listen: Listen, sender: Make
) -> None:
    receiver = await listen()

    attempt = await post(sender(allowed=ANY), url.format(receiver.port))

    assert attempt == Attempt(taken=False, said="TargetRefused")
    assert receiver.connections == 0


async def test_a_certificate_has_to_be_that_of_the_name(listen: Listen, sender: Make) -> None:
    authority = trustme.CA()
    served, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("hooks.example").configure_cert(served)
    authority.configure_trust(trusting)
    receiver = await listen(tls=served)
    may = rules(("127.0.0.0/8",), allow_http=False)
    webhooks = sender(allowed=may, lookups=Names(["127.0.0.1"]), authorities=trusting)

    assert (await post(webhooks, f"https://hooks.example:{receiver.port}/")).taken
    wrong = await post(webhooks, f"https://other.example:{receiver.port}/")
    stranger = sender(allowed=may, lookups=Names(["127.0.0.1"]))
    unknown = await post(stranger, f"https://hooks.example:{receiver.port}/")

    assert {wrong, unknown} == {Attempt(taken=False, said="ClientConnectorCertificateError")}
    assert len(receiver.requests) == 1


async def test_nobody_there_is_a_problem_like_others(closed_port_url: str, sender: Make) -> None:
    port = closed_port_url.rpartition(":")[2]

    assert await post(sender(), f"http://127.0.0.1:{port}/") == Attempt(
        False, "ClientConnectorError"
    )
    lost = sender(lookups=Names([]))
    assert (await post(lost, "http://hooks.example/")).said == "ClientConnectorDNSError"


async def test_an_address_that_was_public_is_checked_again_each_time() -> None:
    guarded = GuardedResolver(ANY, Names(["1.1.1.1"], ["10.0.0.1"], ["10.0.0.1", "1.1.1.1"]))

    assert [each["host"] for each in await guarded.resolve("hooks.example", 443)] == ["1.1.1.1"]
    with pytest.raises(TargetRefused):
        await guarded.resolve("hooks.example", 443)
    assert [each["host"] for each in await guarded.resolve("hooks.example", 443)] == ["1.1.1.1"]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:1.1.1.1"])
def test_no_socket_is_made_for_an_address_that_nobody_may_go_to(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with pytest.raises(TargetRefused):
        socket_to(ANY, (family, socket.SOCK_STREAM, 0, "", (address, 443)))


async def test_the_system_s_resolver_knows_this_machine() -> None:
    lookups = Resolver()

    found = await lookups.resolve("localhost", 80)
    await lookups.close()

    assert {each["host"] for each in found} <= {"127.0.0.1", "::1"}
    assert json.dumps(found[0]["hostname"]) == '"localhost"'
