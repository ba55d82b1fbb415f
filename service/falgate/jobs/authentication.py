"""Authentication: finds the caller of a request by its key, and counts the request."""

from collections.abc import Callable

from falgate.accounts import apikey, policy
from falgate.accounts.apikey import KeyRecord
from falgate.core.account import chain
from falgate.core.errors import KeyMalformed, KeyUnknown, Unavailable
from falgate.jobs import refusals
from falgate.jobs.admission import Caller, permit
from falgate.jobs.ports import Ports

Found = Callable[[KeyRecord], None]
"""Called with the record of a valid key, even if the key may not be used."""


async def authenticate(
    ports: Ports, authorization: str | None, address: str, found: Found = lambda _: None
) -> Caller:
    """Identify the caller, and count the request against the limits on requests per second.

    Raises:
        Refusal: As `identify`.
        TooMany: A limit on requests per second is reached.
    """
    caller = await identify(ports, authorization, address, found)
    await pace(ports, caller)
    return caller


async def identify(
    ports: Ports, authorization: str | None, address: str, found: Found = lambda _: None
) -> Caller:
    """Find the caller by the key that is presented.

    Args:
        ports: The ports of the request flow.
        authorization: The Authorization header.
        address: The caller's IP address.
        found: See `Found`.

    Raises:
        KeyMalformed: There is no Authorization header of fal's form.
        KeyUnknown: The key is not one of ours.
        KeyRefused: The key may not be used.
        NotAllowed: The key may not be used from this address.
        TooMany: Too many invalid keys came from this address.
        Unavailable: Without Redis.
    """
    value = apikey.from_header(authorization or "")
    if value is None:
        raise KeyMalformed
    presented = apikey.present(value)
    if presented is None:
        ports.wrong_keys.wrong(address)
        raise KeyUnknown
    await ports.wrong_keys.check(address, presented)
    key, now_s, directory = await ports.keys.key(presented.id)
    if key is None or not key.opened_by(presented, now_s):
        ports.wrong_keys.wrong(address, presented.id if key else "")
        raise KeyUnknown
    ports.wrong_keys.right(presented)
    found(key)
    caller = permit(key, directory, now_s)
    policy.check_address(key.permissions, address)
    return caller


async def pace(ports: Ports, caller: Caller) -> None:
    """Count a request of each account that has a limit on requests per second.

    Raises:
        TooMany: A limit is reached.

    If Redis cannot be asked, the request is let through: these limits do not protect money, budgets
    do.
    """
    key = caller.key
    accounts = chain(key.team, key.app, key.id)
    limited = {
        account.name: each.requests_per_second
        for account, each in zip(accounts, caller.terms.limits, strict=True)
        if each.requests_per_second
    }
    if not limited:
        return
    try:
        exceeded = await ports.rates.take(limited)
    except Unavailable:
        ports.facts.unchecked()
        return
    if exceeded is not None:
        raise refusals.of_limit(exceeded)
