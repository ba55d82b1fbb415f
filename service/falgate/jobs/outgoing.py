"""What is submitted for a job: the purchase, with its input pictures at the upstream."""

from typing import Any

from falgate.core.errors import Unavailable
from falgate.fal.replies import FalAnswer
from falgate.inputs.sender import InputsUnsent
from falgate.jobs.job import Order
from falgate.jobs.ports import Ports
from falgate.jobs.settlement import Settlement


async def body_of(ports: Ports, order: Order) -> dict[str, Any] | Settlement:
    """Return the body to submit, or the end of a job whose input pictures cannot be sent."""
    app, spec = f"{order.team}/{order.app}", ports.models[order.endpoint]
    try:
        return await ports.sending.sent(order.upstream, app, spec, order.input)
    except (InputsUnsent, Unavailable) as error:
        answer = FalAnswer(503, {"detail": str(error)}, {})
        why = "its input pictures could not be sent"
        return Settlement(state="released", charge=0, answer=answer, why=why)


async def recalled(ports: Ports, order: Order) -> dict[str, Any] | None:
    """Return the body that was submitted for a job; None if it is not known any more.

    Raises:
        Unavailable: Without Redis.
    """
    return await ports.sending.recalled(order.upstream, ports.models[order.endpoint], order.input)
