"""What of pools and pictures leads of teams see and change: what apps of their team bought."""

from collections.abc import Iterable

from falgate.accounts.operator import Operator
from falgate.core.problems import Forbidden
from falgate.pictures.admin import CacheAdmin
from falgate.pictures.catalogue import PoolRecord, Record


def theirs(acting: Operator, apps: Iterable[str]) -> list[str]:
    """Return those of some apps, "team/app", that an operator may see."""
    return [app for app in apps if acting.sees(app.partition("/")[0])]


def sees(acting: Operator, pool_record: PoolRecord) -> bool:
    """Return whether a pool is the operator's to see."""
    return acting.sees("") or bool(theirs(acting, pool_record.apps))


def check_seen(acting: Operator, pool_record: PoolRecord) -> None:
    """Check that a pool is the operator's to see.

    Raises:
        Forbidden: No app of a lead's team bought for it.
    """
    if not sees(acting, pool_record):
        raise _not_theirs(acting)


async def pools_seen(acting: Operator, cache_admin: CacheAdmin, record: Record) -> tuple[str, ...]:
    """Return the fingerprints of those pools of a picture that an operator may see.

    Raises:
        Forbidden: No app of a lead's team bought the picture.
    """
    if acting.sees(""):
        return record.pools
    bought = await cache_admin.pool_records(record.pools)
    pools = tuple(each.fingerprint for each in bought if sees(acting, each))
    if not pools and not theirs(acting, [record.app]):
        raise _not_theirs(acting)
    return pools


async def check_only_theirs(acting: Operator, cache_admin: CacheAdmin, name: str) -> None:
    """Check that a lead does not change what apps of other teams bought too.

    Raises:
        Forbidden: They did, or no app of the lead's team bought it.
        NotFound: There is no such picture.
    """
    if acting.sees(""):
        return
    for record in await cache_admin.family(await cache_admin.picture(name)):
        apps = {app for each in await cache_admin.pool_records(record.pools) for app in each.apps}
        apps.add(record.app)
        mine = theirs(acting, apps)
        if not mine:
            raise _not_theirs(acting)
        if len(mine) < len(apps):
            raise Forbidden("An app of another team bought this picture too; ask an admin")


def _not_theirs(acting: Operator) -> Forbidden:
    return Forbidden(f"No app of team {acting.team} bought it; ask an admin")
