"""The pages, a file for each subject."""

from falgate.console.pages import overview, teams

PAGES = (*overview.ROUTES, *teams.ROUTES)
