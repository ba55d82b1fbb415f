"""The pages, a file for each subject."""

from falgate.console.pages import apps, budgets, keys, overview, teams

PAGES = (
    *overview.ROUTES,
    *teams.ROUTES,
    *apps.ROUTES,
    *keys.ROUTES,
    *budgets.ROUTES,
)
