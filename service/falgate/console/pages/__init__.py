"""The pages, a file for each subject."""

from falgate.console.pages import (
    apps,
    budgets,
    gallery,
    gallery_acts,
    keys,
    overview,
    playground,
    teams,
)

PAGES = (
    *overview.ROUTES,
    *teams.ROUTES,
    *apps.ROUTES,
    *keys.ROUTES,
    *budgets.ROUTES,
    *gallery.ROUTES,
    *gallery_acts.ROUTES,
    *playground.ROUTES,
)
