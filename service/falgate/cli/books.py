"""What the commands about the books share: whose books they are, and a table of words."""

from collections.abc import Sequence

from redis.asyncio import Redis
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from falgate.core.printable import escaped
from falgate.core.problems import Conflict
from falgate.first_start import TEST
from falgate.money.store.ledger import Ledger

_WIDTH_MIN = 160


async def books(redis: Redis, *, test: bool) -> str:
    """The upstream whose books are meant: that of live keys, or of test keys.

    Raises:
        Conflict: No gateway has said yet whom live keys buy from.
        Unavailable: Without Redis.
    """
    if test:
        return TEST
    live = await Ledger(redis).live()
    if live is None:
        raise Conflict("No gateway has used this ledger yet: start one, once")
    return live


def table_of(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print words in columns; those of money to the right."""
    table = Table(
        *(
            Column(
                name.replace("_usd", " $"),
                justify="right" if name.endswith("_usd") else "left",
                overflow="fold",
            )
            for name in names
        )
    )
    for row in rows:
        # Plain text: brackets in a name are no mark-up, and nothing in it moves the cursor.
        table.add_row(*(Text(escaped(each)) for each in row))
    spread(table)


def spread(table: Table) -> None:
    """Print a table at its own width: what goes into a file has no terminal's."""
    Console(width=max(Console().width, _WIDTH_MIN)).print(table)
