"""Names under our prefix that are no settings: slips are all named, service links are let be."""

import pytest

from falgate import settings
from falgate.settings import SettingsWrong

SANDBOX = {"FALGATE_UPSTREAM_URL": "sandbox"}
LINKS = {
    "FALGATE_SERVICE_HOST": "10.96.12.7",
    "FALGATE_SERVICE_PORT": "8080",
    "FALGATE_SERVICE_PORT_HTTP": "8080",
    "FALGATE_PORT": "tcp://10.96.12.7:8080",
    "FALGATE_PORT_8080_TCP": "tcp://10.96.12.7:8080",
    "FALGATE_PORT_8080_TCP_PROTO": "tcp",
    "FALGATE_PORT_8080_TCP_PORT": "8080",
    "FALGATE_PORT_8080_TCP_ADDR": "10.96.12.7",
    "FALGATE_REDIS_SERVICE_HOST": "fd00::7",
    "FALGATE_REDIS_SERVICE_PORT": "6379",
    "FALGATE_REDIS_SERVICE_PORT_HTTP": "6379",
    "FALGATE_REDIS_PORT": "tcp://[fd00::7]:6379",
    "FALGATE_REDIS_PORT_6379_TCP": "tcp://[fd00::7]:6379",
    "FALGATE_REDIS_PORT_6379_TCP_PROTO": "tcp",
    "FALGATE_REDIS_PORT_6379_TCP_PORT": "6379",
    "FALGATE_REDIS_PORT_6379_TCP_ADDR": "fd00::7",
    "FALGATE_DNS_PORT_53_UDP": "udp://10.96.12.8:53",
    "FALGATE_DNS_PORT_53_UDP_PROTO": "udp",
}
SLIPS = {
    "FALGATE_LISTNE": ("x", "FALGATE_LISTNE (FALGATE_LISTEN?)"),
    "FALGATE_PORT": ("8080", "FALGATE_PORT"),
    "FALGATE_TIME_ZONE": ("UTC", "FALGATE_TIME_ZONE (FALGATE_TIMEZONE?)"),
    "FALGATE_REDIS_SERVICE_HOST": ("redis.example", "FALGATE_REDIS_SERVICE_HOST"),
    "FALGATE_REDIS_PORT": ("redis://x:6379", "FALGATE_REDIS_PORT"),
    "FALGATE_listen": ("127.0.0.1:80", "FALGATE_listen (FALGATE_LISTEN?)"),
    "FALGATE_QQQQ": ("x", "FALGATE_QQQQ:"),
}


def test_what_kubernetes_adds_for_services_is_let_be_and_can_be_told() -> None:
    assert settings.read(SANDBOX | LINKS) == settings.read(SANDBOX)
    assert settings.service_links(SANDBOX | LINKS | {"PATH": "/bin"}) == sorted(LINKS)


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_refused_and_named_with_what_it_may_have_meant(name: str) -> None:
    value, said = SLIPS[name]

    with pytest.raises(SettingsWrong) as caught:
        settings.read(SANDBOX | LINKS | {name: value})

    assert said in str(caught.value)
    assert value not in str(caught.value).partition(":")[0]


def test_all_slips_are_named_at_once_and_nothing_else() -> None:
    with pytest.raises(SettingsWrong) as caught:
        settings.read(SANDBOX | LINKS | {name: value for name, (value, _) in SLIPS.items()})

    named = str(caught.value).partition(": no such setting")[0]
    assert {each.partition(" ")[0] for each in named.split(", ")} == SLIPS.keys()


def test_every_setting_is_a_name_that_no_service_link_has() -> None:
    names = {f"FALGATE_{field.upper()}" for field in settings.Settings.__struct_fields__}

    assert settings.service_links(dict.fromkeys(names, "tcp://10.0.0.1:80")) == []
    assert settings.service_links(dict.fromkeys(names, "10.0.0.1")) == []


@pytest.mark.parametrize(
    ("spellings", "meant"), [("on Yes true 1", True), ("off NO false 0", False)]
)
def test_a_switch_may_be_spelt_in_any_usual_way(spellings: str, meant: bool) -> None:
    for said in spellings.split():
        assert (
            settings.read({"FALGATE_UPSTREAM_URL": "sandbox", "FALGATE_FAST_PATH": said}).fast_path
            is meant
        )
