"""Redirection: requests that the cache cannot answer go to the successor of their model."""

from falgate.jobs.admission import AdmittedRequest, Caller, succeeded
from falgate.jobs.forecast import forecast
from falgate.jobs.ports import Ports


async def redirect(ports: Ports, caller: Caller, call: AdmittedRequest) -> AdmittedRequest:
    """Return a request as it is served: for its own model, or for the successor of that one.

    Raises:
        InputRejected: The successor cannot do what was asked for.
        ModelRetired: There is no successor that is served.
        Unavailable: Without Redis.
    """
    if call.ended is None or call.ended.afterwards != "redirect":
        return call
    app = f"{call.key.team}/{call.key.app}"
    there, masters = await forecast(ports.pools, ports.places, call, app)
    if there.missing <= len(masters):
        return call
    return succeeded(caller, call, ports.models)
