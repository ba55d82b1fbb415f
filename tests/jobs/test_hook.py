"""The completion hook's address: only what this ledger gave out is believed."""

import pytest

from falgate.jobs import callback_url

SECRET = bytes(range(32))
TOKEN = callback_url.address("https://gate.example", SECRET, "0123abc").rpartition("/")[2]


@pytest.mark.parametrize("base_url", ["https://gate.example", "https://gate.example/"])
def test_an_address_names_its_job_and_proves_it(base_url: str) -> None:
    address = callback_url.address(base_url, SECRET, "0123abc")

    assert address.startswith("https://gate.example/hooks/fal/0123abc.")
    assert callback_url.job_of(address.rpartition("/")[2], SECRET) == "0123abc"


@pytest.mark.parametrize(
    "token",
    {
        "another job": TOKEN.replace("0123abc", "0123abd"),
        "another proof": TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "1"),
        "in capitals": TOKEN.upper(),
        "cut": TOKEN[:-1],
        "longer": TOKEN + "0",
        "a line more": TOKEN + "\n",
        "no proof": "0123abc",
        "no job": TOKEN.partition(".")[2],
        "two": f"x.{TOKEN}",
        "nothing": "",
        "other digits": TOKEN[:-1] + "٣",
    }.values(),
)
def test_any_other_address_is_none(token: str) -> None:
    assert callback_url.job_of(token, SECRET) is None


def test_the_address_of_another_ledger_is_none() -> None:
    assert callback_url.job_of(TOKEN, bytes(32)) is None
