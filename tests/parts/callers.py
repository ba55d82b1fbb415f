"""Callers whose key was accepted already."""

from falgate.accounts.apikey import KeyRecord
from falgate.accounts.directory import App, Directory
from falgate.accounts.limits import PurchaseLimits
from falgate.jobs.admission import Caller

NOTHING_DECIDED = Directory(0, {}, {})


def caller_with(
    key: KeyRecord,
    app: App = App(),  # noqa: B008 -- it is frozen
    directory: Directory = NOTHING_DECIDED,
    now_s: int = 0,
) -> Caller:
    """A caller with this key, without any limit."""
    return Caller(key=key, terms=PurchaseLimits(), app=app, directory=directory, now_s=now_s)
