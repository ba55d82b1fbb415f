"""Settings: the operator's `FALGATE_*` environment variables, and a file of them."""

from falgate.settings.exposed import exposed
from falgate.settings.fields import FAL_QUEUE, PREFIX, SANDBOX, Settings
from falgate.settings.file import environment
from falgate.settings.given import service_links
from falgate.settings.openid import openid_roles
from falgate.settings.reading import read
from falgate.settings.words import (
    Address,
    SettingsWrong,
    address,
    amount,
    input_rules,
    names,
    webhook_rules,
)

__all__ = (
    "FAL_QUEUE",
    "PREFIX",
    "SANDBOX",
    "Address",
    "Settings",
    "SettingsWrong",
    "address",
    "amount",
    "environment",
    "exposed",
    "input_rules",
    "names",
    "openid_roles",
    "read",
    "service_links",
    "webhook_rules",
)
