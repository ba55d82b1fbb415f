"""Targets of webhooks: https, a host that no two readers take differently, a public address."""

import ipaddress

import pytest

from falgate.core.errors import InputRejected
from falgate.egress.target import Rules, is_public, origin, rules
from falgate.webhooks.target import check_target, without_query

ANY = rules((), allow_http=False)
LISTED = rules(("hooks.example", "*.apps.example", "10.1.0.0/16", "fd00::/8"), allow_http=False)
LOCAL = rules(("127.0.0.0/8",), allow_http=True)


def refusal(url: str, allowed: Rules) -> str:
    with pytest.raises(InputRejected) as refused:
        check_target(url, allowed)
    [issue] = refused.value.body()["detail"]
    assert issue["loc"] == ["query", "fal_webhook"]
    assert (refused.value.status, issue["type"]) == (422, "value_error")
    return str(issue["msg"])


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example",
        "https://hooks.example/told?token=a%2Bb#here",
        "HTTPS://Hooks.Example.:8443/told",
        "https://my_host-1.example?x",
        "https://1.1.1.1/told",
        "https://[2606:4700:4700::1111]:443/told",
        "https://xn--bcher-kva.example/bücher",
    ],
)
def test_without_a_list_every_public_host_may_be_told(url: str) -> None:
    check_target(url, ANY)

    assert origin(url) == url.lower().split("/told")[0].split("?")[0].split("/b")[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/told",
        "ftp://hooks.example/told",
        "//hooks.example/told",
        "https:///told",
        "https://",
        "https://user@hooks.example/told",
        "https://user:word@hooks.example/told",
        "https://hooks.example@127.0.0.1/told",
        "https://hooks.example\\@127.0.0.1/told",
        "https://hooks.example/a b",
        "https://hooks.example/a\nhost: x",
        "https://hooks.example/\ud800",
        " https://hooks.example/",
        "https://hooks..example/",
        "https://-hooks.example/",
        "https://bücher.example/",
        "https://hooks.example%2e/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://[1.1.1.1]/",
        "https://hooks.example:/",
        "https://hooks.example:a/",
        "https://hooks.example/" + "a" * 2_048,
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    assert "https://host/path" in refusal(url, ANY)


@pytest.mark.parametrize("url", ["https://hooks.example:0/", "https://hooks.example:65536/"])
def test_a_port_that_is_none_is_refused(url: str) -> None:
    assert "port" in refusal(url, ANY)


def test_without_tls_only_where_that_is_allowed() -> None:
    assert "https://" in refusal("http://hooks.example/", ANY)
    check_target("http://hooks.example/", rules((), allow_http=True))


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.", "1.2.3.4.5",
     "hooks.1", "[1:2]", "[::1.2.3]"],
)  # fmt: skip
def test_an_address_in_a_form_that_readers_take_differently_is_refused(host: str) -> None:
    assert refusal(f"https://{host}/told", LOCAL)
    assert refusal(f"https://{host}/told", ANY)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "192.88.99.1", "224.0.0.1", "233.252.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:1.1.1.1", "::ffff:0:1.1.1.1",
        "64:ff9b::7f00:1", "64:ff9b::101:101", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
        "2002:7f00:1::1", "2002:101:101::1", "3fff::1", "4000::1", "fc00::1", "fd00::1",
        "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_told_only_where_a_network_names_it(address: str) -> None:
    at = ipaddress.ip_address(address)
    host = f"[{address}]" if at.version == 6 else address
    named = rules((address,), allow_http=False)

    assert not is_public(at)
    assert not ANY.allows("hooks.example", at)
    assert not rules(("hooks.example",), allow_http=False).allows("hooks.example", at)
    assert "not allowed" in refusal(f"https://{host}/told", ANY)
    check_target(f"https://{host}/told", named)
    assert named.allows("hooks.example", at)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00::1"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["hooks.example", "HOOKS.example.", "a.apps.example",
                                  "a.b.apps.example"])  # fmt: skip
def test_a_listed_name_may_be_anywhere_in_public(host: str) -> None:
    assert LISTED.allows(host, ipaddress.ip_address("1.1.1.1"))
    assert not LISTED.allows(host, ipaddress.ip_address("10.2.0.1"))


@pytest.mark.parametrize("host", ["a.hooks.example", "apps.example", "xapps.example", "example"])
def test_a_name_that_is_not_listed_may_only_be_in_a_listed_network(host: str) -> None:
    assert not LISTED.allows(host, ipaddress.ip_address("1.1.1.1"))
    assert LISTED.allows(host, ipaddress.ip_address("10.1.2.3"))
    assert LISTED.allows(host, ipaddress.ip_address("fd00::1"))
    # Where its address is, only connecting to it can tell.
    check_target(f"https://{host}/", LISTED)


def test_a_list_of_names_alone_refuses_other_names_at_once() -> None:
    named = rules(("hooks.example",), allow_http=False)

    check_target("https://hooks.example/told", named)
    assert "not allowed" in refusal("https://other.example/told", named)
    assert "not allowed" in refusal("https://1.1.1.1/told", named)


@pytest.mark.parametrize("entry", ["", "10.1.2.3/8", "10.1.2", "a b", "https://a.example", "*",
                                   "a.*.example", "::1/200", "bücher.example"])  # fmt: skip
def test_an_entry_that_is_neither_name_nor_network_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is neither a host name nor a network") as wrong:
        rules((entry,), allow_http=False)

    assert repr(entry) in str(wrong.value)


def test_a_refusal_tells_nothing_that_may_be_a_secret() -> None:
    with pytest.raises(InputRejected) as refused:
        check_target("http://hooks.example/secret-path?token=secret", ANY)

    assert refused.value.body()["detail"][0]["input"] == "http://hooks.example"
    assert without_query("https://hooks.example/a?token=secret#b") == "https://hooks.example/a"
    assert origin("nonsense?token=secret") == ""
