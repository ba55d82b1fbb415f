"""What fal's answers say about this gateway's account and its models, beyond the one purchase."""

from contextlib import suppress

from msgspec.structs import replace

from falgate.accounts.retirement import successor
from falgate.core.errors import ModelRetired, Unavailable
from falgate.core.events import Anomaly
from falgate.fal.account import about_account
from falgate.fal.gone import says_gone
from falgate.fal.replies import Delivered, Failed, FalAnswer, Rejected
from falgate.jobs.job import Order
from falgate.jobs.ports import Ports
from falgate.jobs.settlement import Settlement, after_submit


async def refused(ports: Ports, order: Order, refusal: Rejected) -> Settlement:
    """Return what becomes of the hold of a submit that fal refused, and note why it did."""
    if anomaly := about_account(refusal.answer):
        ports.facts.anomaly(Anomaly(what=anomaly, job=order.id, detail=refusal.said))
        if anomaly == "exhausted_balance":
            ports.facts.exhausted(order.upstream)
    settlement = after_submit(refusal)
    if not says_gone(refusal.answer):
        return settlement
    return replace(settlement, answer=await _gone(ports, order))


async def ended(ports: Ports, order: Order, result: Delivered | Failed) -> None:
    """Note that a model is gone or, after a delivery, that it is there again."""
    if isinstance(result, Failed):
        if says_gone(result.answer):
            await _gone(ports, order)
        return
    with suppress(Unavailable):
        await ports.gone.forget(order.upstream, order.endpoint)


async def _gone(ports: Ports, order: Order) -> FalAnswer:
    """Note that a model is gone; return the answer for those that wait for the purchase."""
    spec = ports.models[order.endpoint]
    after = spec.successor
    with suppress(Unavailable):  # The next such answer notes it.
        after = successor(spec, await ports.gone.note(order.upstream, order.endpoint))
    refusal = ModelRetired(order.endpoint, after)
    return FalAnswer(refusal.status, refusal.body(), refusal.headers())
