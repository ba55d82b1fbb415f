"""Errors that callers get because of money: a budget, or purchases that are stopped."""

from falgate.core.errors import Refusal
from falgate.core.money import Micros, dollars


class BudgetExhausted(Refusal):
    """A budget cannot pay for this purchase; nothing was held or bought.

    Attributes:
        remaining: What the budget has left, in micro-USD.
        budget: Name of its account.
        window: Kind of its window.
    """

    status = 402
    error_type = "budget_exceeded"

    def __init__(
        self,
        budget: str,
        window: str,
        *,
        limit: Micros,
        spent: Micros,
        held: Micros,
        needed: Micros,
        resets: str | None,
    ) -> None:
        until = f"It resets at {resets}." if resets else "It does not reset by itself."
        super().__init__(
            f"The {window} budget of {budget} cannot pay for this: limit ${dollars(limit)}, "
            f"spent ${dollars(spent)}, held ${dollars(held)}, needed ${dollars(needed)}. {until}"
        )
        self.remaining, self.budget, self.window = max(0, limit - spent - held), budget, window

    def headers(self) -> dict[str, str]:
        """Add the remainder of the budget that refused."""
        return {**super().headers(), "X-Falgate-Budget-Remaining-Usd": dollars(self.remaining)}


class BuyingStopped(Refusal):
    """Purchases are stopped until an operator acts: no organisation budget, or overage used up."""

    status = 402
    error_type = "buying_stopped"


class StoppedByOperator(BuyingStopped):
    """An operator stopped purchases for the organisation, the team, the app or the model.

    Attributes:
        subject: Name of what is stopped, such as "team:web".
    """

    def __init__(self, subject: str, words: str, why: str) -> None:
        because = f": {why}" if why else ""
        super().__init__(f"An operator stopped purchases for {words}{because}")
        self.subject = subject
