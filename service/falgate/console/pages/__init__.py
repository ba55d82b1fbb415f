"""The pages, a file for each subject."""

from falgate.console.pages import (
    aliases,
    apps,
    audit,
    budgets,
    config,
    deliveries,
    first_steps,
    keys,
    ledger,
    models,
    operators,
    overview,
    requests,
    setup,
    stops,
    teams,
)

PAGES = (
    *overview.ROUTES,
    *teams.ROUTES,
    *apps.ROUTES,
    *keys.ROUTES,
    *budgets.ROUTES,
    *setup.ROUTES,
    *first_steps.ROUTES,
    *models.ROUTES,
    *aliases.ROUTES,
    *stops.ROUTES,
    *deliveries.ROUTES,
    *operators.ROUTES,
    *config.ROUTES,
    *requests.ROUTES,
    *ledger.ROUTES,
    *audit.ROUTES,
)
